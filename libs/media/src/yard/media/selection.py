"""Which frames of a source a task shows: the only place where `step` is multiplied or divided."""

from dataclasses import dataclass

from yard.media.errors import MediaError


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSelection:
    """Absolute frames start, start + step, ... up to and including stop; `stop` None means the last frame."""

    start: int = 0
    stop: int | None = None
    step: int = 1

    def __post_init__(self) -> None:
        if self.start < 0 or self.step < 1 or (self.stop is not None and self.stop < 0):
            raise MediaError(
                "limit", f"start and stop must be 0 or more, step 1 or more; got {self._describe()}"
            )

    def count(self, source_frames: int) -> int:
        """Number of selected frames of a source with `source_frames`; an empty selection is refused."""
        last = self.clamp(source_frames)
        if last < self.start:
            raise MediaError(
                "limit", f"no frame is selected by {self._describe()} of {source_frames} source frames"
            )
        return (last - self.start) // self.step + 1

    def clamp(self, source_frames: int) -> int:
        """Largest absolute frame that may be selected; -1 when the source is empty."""
        last = source_frames - 1
        return last if self.stop is None else min(self.stop, last)

    def absolute(self, relative: int) -> int:
        """Frame of the source that shows as frame `relative` of the task."""
        return self.start + relative * self.step

    def relative(self, absolute: int) -> int:
        """Frame of the task that shows frame `absolute` of the source; refused when it is not selected."""
        relative, remainder = divmod(absolute - self.start, self.step)
        is_past = self.stop is not None and absolute > self.stop
        if remainder or relative < 0 or is_past:
            raise MediaError("limit", f"source frame {absolute} is not selected by {self._describe()}")
        return relative

    def _describe(self) -> str:
        stop = "unset" if self.stop is None else self.stop
        return f"start={self.start}, stop={stop}, step={self.step}"
