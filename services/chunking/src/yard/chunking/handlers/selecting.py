"""Which frames a request for a chunk names, and whether it makes sense."""

from frameyard.chunk.v1 import chunk_service_pb2 as messages
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.media.v1 import media_pb2
from yard.chunking.domain import MOST_FRAMES, Form, Frames, Media, Quality, Rendition
from yard.runtime import errors

QUALITIES: dict[int, Quality] = {
    messages.QUALITY_UNSPECIFIED: "compressed",
    messages.QUALITY_COMPRESSED: "compressed",
    messages.QUALITY_ORIGINAL: "original",
}
FORMATS: dict[Form, media_pb2.ChunkFormat.ValueType] = {
    "zip": media_pb2.CHUNK_FORMAT_ZIP,
    "mp4": media_pb2.CHUNK_FORMAT_MP4,
}
_FORMS: dict[int, Form | None] = {
    media_pb2.CHUNK_FORMAT_UNSPECIFIED: None,
    media_pb2.CHUNK_FORMAT_ZIP: "zip",
    media_pb2.CHUNK_FORMAT_MP4: "mp4",
}


def check(request: messages.GetChunkRequest) -> None:
    """InvalidArgument with all that is wrong in the request itself."""
    violations: list[errors.Violation] = []
    if request.quality not in QUALITIES:
        violations.append(errors.Violation("quality", f"{request.quality} is not known"))
    if request.format not in _FORMS:
        violations.append(errors.Violation("format", f"{request.format} is not known"))
    violations += _picture_violations(request)
    match request.WhichOneof("selection"):
        case None:
            violations.append(errors.Violation("selection", "number or frames is needed"))
        case "number" if request.number < 0:
            violations.append(errors.Violation("number", f"must be 0 or more, got {request.number}"))
        case "frames":
            violations += _range_violations(request.frames)
    errors.refuse(violations)


def selected(request: messages.GetChunkRequest, media: Media) -> Rendition:
    """What is asked for, of frames that media may or may not have."""
    if request.WhichOneof("selection") == "number":
        frames = media.chunk(request.number)
    else:
        frames = Frames(first=request.frames.first, last=request.frames.last)
    return Rendition(
        media_id=media.id, quality=QUALITIES[request.quality], form=_form(request, media), frames=frames
    )


def _form(request: messages.GetChunkRequest, media: Media) -> Form:
    form = _FORMS[request.format]
    if form == "mp4" and media.kind == "images":
        raise errors.invalid("format", "images come as zip only")
    return form or media.form


def _picture_violations(request: messages.GetChunkRequest) -> list[errors.Violation]:
    """PNG is for pictures that are lossless, one by one."""
    wanted = request.picture_format
    if wanted == messages.FRAME_FORMAT_UNSPECIFIED:
        return []
    if wanted != messages.FRAME_FORMAT_PNG:
        return [errors.Violation("picture_format", "must be PNG or be left out")]
    if _FORMS.get(request.format) != "zip" or QUALITIES.get(request.quality) != "original":
        return [errors.Violation("picture_format", "PNG comes in a zip of original quality only")]
    return []


def _range_violations(frames: FrameRange) -> list[errors.Violation]:
    if frames.first < 0:
        return [errors.Violation("frames.first", f"must be 0 or more, got {frames.first}")]
    if frames.last < frames.first:
        return [errors.Violation("frames.last", f"must not be before the first, got {frames.last}")]
    if (count := frames.last - frames.first + 1) > MOST_FRAMES:
        return [errors.Violation("frames", f"at most {MOST_FRAMES} frames at a time, got {count}")]
    return []
