"""Files of frames for the thread that writes, which waits for each."""

import asyncio
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from yard.export.domain import Subject
from yard.export.formats.drawn import Frame
from yard.export.sources import frames
from yard.export.sources.channels import Channels

TIMEOUT_S = 300.0


class Images:
    """Called with a frame it gives the bytes of its file; made on the loop, called in a thread."""

    def __init__(self, channels: Channels, parts: Sequence[Subject]) -> None:
        self._channels = channels
        self._parts = parts
        self._loop = asyncio.get_running_loop()
        self._is_withheld = False

    def withhold(self) -> None:
        """From now on all files are empty: nobody will see them."""
        self._is_withheld = True

    def __call__(self, frame: Frame) -> Iterator[bytes]:
        """The file, as soon as it is iterated."""
        if self._is_withheld:
            return
        subject = self._parts[frame.part]
        fetched = asyncio.run_coroutine_threadsafe(
            frames.image(self._channels, subject, frame.number), self._loop
        )
        yield fetched.result(TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass
