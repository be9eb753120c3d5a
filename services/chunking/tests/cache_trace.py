"""What callers of the service got, line by line: when, of which task, quality, number, length."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from services.chunking.tests.cache_sessions import CHUNKS, TASKS, Call

if TYPE_CHECKING:
    from frameyard.media.v1 import media_pb2

    from services.chunking.tests.media_side import MediaSide, Viewer

TRACE = Path(__file__).parent / "data" / "cache_trace.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """A call and the length of its answer."""

    call: Call
    size_bytes: int

    def line(self) -> str:
        """As it is written down."""
        call = self.call
        return f"{call.at_s:.0f} {call.task} {call.quality} {call.number} {self.size_bytes}"


def read(path: Path = TRACE) -> Iterator[Got]:
    """The lines of a file."""
    for line in path.read_text().splitlines():
        at_s, task, quality, number, size_bytes = line.split()
        call = Call(at_s=float(at_s), task=int(task), quality=quality, number=int(number))  # type: ignore[arg-type]
        yield Got(call=call, size_bytes=int(size_bytes))


async def tasks(side: MediaSide, clips: Sequence[Path]) -> list[media_pb2.Media]:
    """A video for each task, of CHUNKS chunks each; `clips` have two frames a chunk."""
    return [await side.video(clips[task % len(clips)], chunk_size=2) for task in range(TASKS)]


async def record(
    viewer: Viewer, media: Sequence[media_pb2.Media], calls: Iterable[Call]
) -> AsyncIterator[Got]:
    """Makes the calls, one after the other."""
    for call in calls:
        assert call.number < CHUNKS
        if call.quality == "preview":
            size_bytes = len((await viewer.preview(media[call.task], call.number * 2)).content)
        else:
            size_bytes = len((await viewer.chunk(media[call.task], call.number))[1])
        yield Got(call=call, size_bytes=size_bytes)
