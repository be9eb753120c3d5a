"""The data parameters of a task: checked, and with the defaults that are in force."""

from collections.abc import Iterable
from dataclasses import dataclass

from frameyard.media.v1 import media_pb2
from google.protobuf.message import Message
from yard.media import parameters
from yard.media.selection import FrameSelection
from yard.media_ingest.domain.files import Kind
from yard.media_ingest.domain.remote import faults_of_urls
from yard.media_ingest.domain.selecting import faults_of_share
from yard.runtime.errors import InvalidArgument, Violation, refuse

QUALITY = 70
PDF_DPI = 150
MP4_CHUNK_SIZE = 36
LONGEST_FOLDER = 1_024
_ZIP_CHUNK_PIXELS = 36 * 1920 * 1080


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """A checked DataSpec; `chunk_size` None is chosen by the size of the frames."""

    quality: int
    start: int
    stop: int | None
    step: int
    chunk_size: int | None
    use_zip_chunks: bool
    use_cache: bool
    sorting: media_pb2.SortingMethod.ValueType
    pdf_dpi: int
    copy_data: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """The frames that a task shows: `size` of them, the last one absolute `stop`."""

    selection: FrameSelection
    size: int
    stop: int


def parse(spec: media_pb2.DataSpec) -> Parameters:
    """Parameters with their defaults; InvalidArgument lists all violations."""
    violations = [*_out_of_bounds(spec), *_contradictions(spec), *_faults_of_members(spec)]
    refuse(violations)
    return Parameters(
        quality=_given(spec, "image_quality", QUALITY),
        start=_given(spec, "start_frame", 0),
        stop=spec.stop_frame if spec.HasField("stop_frame") else None,
        step=_given(spec, "frame_step", 1),
        chunk_size=spec.chunk_size if spec.HasField("chunk_size") else None,
        use_zip_chunks=bool(_given(spec, "use_zip_chunks", 1)),
        use_cache=bool(_given(spec, "use_cache", 1)),
        sorting=spec.sorting or media_pb2.SORTING_METHOD_LEXICOGRAPHICAL,
        pdf_dpi=_given(spec, "pdf_dpi", PDF_DPI),
        copy_data=spec.copy_data,
    )


def select(parameters: Parameters, source_frames: int) -> Selected:
    """The selected frames of a source; InvalidArgument if there are none."""
    selection = FrameSelection(start=parameters.start, stop=parameters.stop, step=parameters.step)
    if parameters.start >= source_frames:
        stop = "unset" if parameters.stop is None else parameters.stop
        description = (
            f"is past the last frame: start={parameters.start}, stop={stop}, step={parameters.step} select "
            f"nothing of {source_frames} source frames"
        )
        raise InvalidArgument(violations=[Violation("data.start_frame", description)])
    size = selection.count(source_frames)
    return Selected(selection=selection, size=size, stop=selection.absolute(size - 1))


def default_chunk_size(chunks: media_pb2.ChunkFormat.ValueType, width: int, height: int) -> int:
    """As many frames as have the pixels of 36 in full HD, 2 to 72; 36 in mp4, which does not grow so fast."""
    if chunks == media_pb2.CHUNK_FORMAT_MP4:
        return MP4_CHUNK_SIZE
    return max(2, min(72, _ZIP_CHUNK_PIXELS // max(1, width * height)))


def in_force(
    parameters: Parameters, kind: Kind, selected: Selected, size: tuple[int, int], seed: int
) -> media_pb2.DataParameters:
    """What holds for media whose first selected frame has this (width, height)."""
    is_zip = kind == "images" or parameters.use_zip_chunks
    chunks = media_pb2.CHUNK_FORMAT_ZIP if is_zip else media_pb2.CHUNK_FORMAT_MP4
    is_random = kind == "images" and parameters.sorting == media_pb2.SORTING_METHOD_RANDOM
    return media_pb2.DataParameters(
        image_quality=parameters.quality,
        start_frame=parameters.start,
        stop_frame=selected.stop,
        frame_step=parameters.step,
        chunk_size=parameters.chunk_size or default_chunk_size(chunks, *size),
        chunk_format=chunks,
        use_cache=parameters.use_cache,
        sorting=parameters.sorting,
        random_seed=seed if is_random else None,
        copy_data=parameters.copy_data,
    )


def unsupported_sources(spec: media_pb2.DataSpec) -> list[Violation]:
    """What is wrong with sources in itself."""
    found = []
    for number, source in enumerate(spec.sources):
        origin = source.WhichOneof("origin")
        if origin is None:
            found.append(
                Violation(f"data.sources[{number}]", "must name an upload, files of a share or addresses")
            )
        elif origin == "remote":
            found += faults_of_urls(f"data.sources[{number}].remote.urls", source.remote.urls)
        elif origin == "share":
            found += faults_of_share(f"data.sources[{number}].share", source.share)
    if not spec.sources:
        found.append(Violation("data.sources", "must name at least one source"))
    return found


def _out_of_bounds(spec: media_pb2.DataSpec) -> Iterable[Violation]:
    given = {name: getattr(spec, name) for name in parameters.NAMES if _has(spec, name)}
    for name, wrong in parameters.out_of_bounds(given):
        yield Violation(f"data.{name}", wrong)
    if spec.sorting not in media_pb2.SortingMethod.values():
        yield Violation("data.sorting", f"is no sorting method: {spec.sorting}")


def _faults_of_members(spec: media_pb2.DataSpec) -> Iterable[Violation]:
    if not spec.HasField("members"):
        return
    if not spec.members.list:
        yield Violation("data.members.list", "must name the file that lists them")
    if len(spec.members.folder) > LONGEST_FOLDER:
        yield Violation("data.members.folder", f"must have at most {LONGEST_FOLDER} characters")


def _contradictions(spec: media_pb2.DataSpec) -> Iterable[Violation]:
    if spec.HasField("stop_frame") and 0 <= spec.stop_frame < spec.start_frame:
        yield Violation(
            "data.stop_frame", f"must not be before the start {spec.start_frame}, got {spec.stop_frame}"
        )


def _given(spec: media_pb2.DataSpec, field: str, default: int) -> int:
    return int(getattr(spec, field)) if _has(spec, field) else default


def _has(spec: Message, field: str) -> bool:
    return spec.HasField(field)
