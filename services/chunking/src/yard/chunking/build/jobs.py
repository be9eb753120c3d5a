"""From what is wanted to a call of a child process."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, cast

from yard.chunking.build.files import Files
from yard.chunking.build.plans import Plans
from yard.chunking.domain import ORIGINAL_JPEG_QUALITY, Frames, Media, Quality, Rendition
from yard.media.mp4_chunk import VISUALLY_LOSSLESS_CRF, crf_for
from yard.runtime import errors
from yard.runtime.workers import BytesSource, RangeSource

IMAGE_ZIP = "yard.media.image_chunks:image_zip"
IMAGE_FRAME = "yard.media.image_chunks:image_frame"
VIDEO_ZIP = "yard.media.video_chunks:video_zip"
VIDEO_PNG_ZIP = "yard.media.video_chunks:video_png_zip"
VIDEO_FRAME = "yard.media.video_chunks:video_frame"
VIDEO_MP4 = "yard.media.mp4_jobs:video_mp4"

_RUNS = {
    IMAGE_ZIP: "yard.media.image_chunks:image_zip_run",
    VIDEO_ZIP: "yard.media.video_chunks:video_zip_run",
    VIDEO_MP4: "yard.media.mp4_jobs:video_mp4_run",
}

# What runs of videos get as `chunks`; those of images need the number of the first one besides.
_ONE_CHUNK = ("last",)

Look = Literal["jpeg", "original", "png", "preview"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A call of the pool: `module:function`, arguments, and what its files are read from."""

    function: str
    arguments: Mapping[str, object]
    sources: Mapping[str, RangeSource]

    @property
    def files(self) -> list[str]:
        """Names of what it works on, in order."""
        if "name" in self.arguments:
            return [str(self.arguments["name"])]
        images = cast("Sequence[Mapping[str, object]]", self.arguments["images"])
        return [str(image["name"]) for image in images]

    def blamed(self, fault: errors.WorkerCrashed) -> errors.WorkerCrashed:
        """The fault with the files that a child was at when it died."""
        names = self.files
        told = names[0] if len(names) == 1 else f"one of {len(names)} files from {names[0]} to {names[-1]}"
        metadata = {"file": names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}", **fault.metadata}
        return errors.WorkerCrashed(f"{told}: {fault.message}", reason=fault.reason, metadata=metadata)


class Jobs:
    """Knows the functions of the child processes and their arguments."""

    def __init__(self, plans: Plans, files: Files) -> None:
        self._plans = plans
        self._files = files

    async def for_rendition(self, media: Media, rendition: Rendition) -> Job:
        """Makes a chunk or a preview."""
        if rendition.quality == "preview":
            return await self.for_frame(media, rendition.frames.first, "preview", "compressed")
        return await self._for_chunk(media, rendition)

    async def for_pngs(self, media: Media, rendition: Rendition) -> Job:
        """Makes a zip of lossless pictures of a video."""
        return await self._of_video(VIDEO_PNG_ZIP, media, rendition.frames)

    async def for_run(self, media: Media, renditions: Sequence[Rendition]) -> Job:
        """Makes adjacent chunks of the same quality and container, in the framing of `yard.media.framed`."""
        frames = Frames(first=renditions[0].frames.first, last=renditions[-1].frames.last)
        whole = await self._for_chunk(media, replace(renditions[0], frames=frames))
        arguments = {key: value for key, value in whole.arguments.items() if key not in _ONE_CHUNK}
        arguments["chunks"] = [[each.frames.first, each.frames.last] for each in renditions]
        return replace(whole, function=_RUNS[whole.function], arguments=arguments)

    async def _for_chunk(self, media: Media, rendition: Rendition) -> Job:
        quality = _jpeg_quality(media, rendition.quality)
        if media.kind == "images":
            look: Look = "original" if rendition.quality == "original" else "jpeg"
            return await self._of_images(IMAGE_ZIP, media, rendition.frames, look=look, quality=quality)
        if rendition.form == "zip":
            return await self._of_video(VIDEO_ZIP, media, rendition.frames, quality=quality)
        is_original = rendition.quality == "original"
        crf = VISUALLY_LOSSLESS_CRF if is_original else crf_for(media.image_quality)
        copy = "any" if is_original else "browser"
        return await self._of_video(VIDEO_MP4, media, rendition.frames, crf=crf, copy=copy)

    async def for_frame(self, media: Media, frame: int, look: Look, quality: Quality) -> Job:
        """Makes a single picture."""
        frames = Frames(first=frame, last=frame)
        wanted = {"look": look, "quality": _jpeg_quality(media, quality)}
        if media.kind == "images":
            return await self._of_images(IMAGE_FRAME, media, frames, **wanted)
        return await self._of_video(VIDEO_FRAME, media, frames, **wanted)

    async def _of_video(self, function: str, media: Media, frames: Frames, **wanted: Any) -> Job:
        head = await self._plans.head(media)
        [video] = head.sources
        arguments = {
            "name": video.name,
            "start": head.start,
            "step": head.step,
            "first": frames.first,
            "last": frames.last,
            **wanted,
        }
        sources: dict[str, RangeSource] = {
            "index": BytesSource(await self._plans.video_block(media)),
            "video": self._files.of(video),
        }
        return Job(function=function, arguments=arguments, sources=sources)

    async def _of_images(self, function: str, media: Media, frames: Frames, **wanted: Any) -> Job:
        head = await self._plans.head(media)
        addresses = await self._plans.addresses(media, frames)
        sources, placed = await self._files.of_images(head, addresses)
        images = [asdict(address) for address in placed]
        arguments = {"images": images, "first": frames.first, **wanted}
        return Job(function=function, arguments=arguments, sources=sources)


def _jpeg_quality(media: Media, quality: Quality) -> int:
    if quality != "original":
        return media.image_quality
    return 100 if media.kind == "images" else max(media.image_quality, ORIGINAL_JPEG_QUALITY)
