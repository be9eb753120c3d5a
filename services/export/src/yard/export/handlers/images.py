"""Files of frames for the thread that writes: streams of many, the next one under way before it is needed."""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from yard.export.datasets.drawn import Frame
from yard.export.domain import Subject
from yard.export.handlers.frame_run import FrameRun
from yard.export.handlers.pipe import Pipe
from yard.export.sources import frame_files
from yard.export.sources.channels import Channels
from yard.runtime import errors

# So much is asked for in one call: enough that the call costs little, and far below what a zip can hold.
RUN_BYTES = 16_777_216
FIRST_RUN, LONGEST_RUN = 16, 2_000
RUNS_AHEAD = 2


class Images:
    """Called with a frame it gives the bytes of its file; made on the loop, called in one thread."""

    def __init__(self, channels: Channels, parts: Sequence[Subject]) -> None:
        self._channels = channels
        self._parts = parts
        self._loop = asyncio.get_running_loop()
        self._runs: deque[FrameRun] = deque()
        self._files = self._bytes = 0
        self._is_withheld = False
        self._is_closed = False

    def withhold(self) -> None:
        """From now on all files are empty: nobody will see them."""
        self._is_withheld = True

    def __call__(self, frame: Frame) -> Iterator[bytes]:
        """The file, fetched when it is iterated."""
        if not self._is_withheld:
            yield from self._run_with(frame.part, frame.number).file(frame.number)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closed = True
        for run in list(self._runs):
            run.close()

    def _run_with(self, part: int, frame: int) -> FrameRun:
        while self._runs and not self._runs[0].has(part, frame):
            self._end(self._runs.popleft())
        if not self._runs:
            self._begin(part, frame)
        while len(self._runs) < RUNS_AHEAD and self._begin(part, self._runs[-1].last + 1):
            pass
        return self._runs[0]

    def _end(self, run: FrameRun) -> None:
        run.close()
        self._bytes += run.size_bytes
        self._files += run.files

    def _begin(self, part: int, frame: int) -> bool:
        """Asks for the frames from this one on up to the next deleted one; False if there are none."""
        stretch = _shown(self._parts[part], frame)
        if stretch is None:
            return False
        first, last = stretch
        last = min(last, first + self._length() - 1)
        stream = frame_files.pieces(self._channels, self._parts[part], first, last)
        run = FrameRun(part, first, last, Pipe(stream, self._loop))
        self._runs.append(run)
        if self._is_closed:
            run.close()
            raise errors.Cancelled("the export has ended")
        return True

    def _length(self) -> int:
        """As many frames as make a good call, by those that came."""
        files = sum(run.files for run in self._runs) + self._files
        size_bytes = sum(run.size_bytes for run in self._runs) + self._bytes
        if not files or not size_bytes:
            return FIRST_RUN
        return max(1, min(LONGEST_RUN, RUN_BYTES * files // size_bytes))


def _shown(subject: Subject, frame: int) -> tuple[int, int] | None:
    """The frames from this one on that are not deleted, without a gap; None behind the last one."""
    place = bisect_right(subject.deleted, frame, key=lambda run: run[0]) - 1
    if place >= 0 and frame <= subject.deleted[place][1]:
        return _shown(subject, subject.deleted[place][1] + 1)
    if frame > subject.last:
        return None
    following = subject.deleted[place + 1][0] if place + 1 < len(subject.deleted) else subject.last + 1
    return frame, min(subject.last, following - 1)
