"""Manifests as jobs of child processes: frame blocks straight from their lines, checks of what they claim.

The source "manifest" is the file, the argument `name` its label. Images are read in two steps: `read_images`
parses lines into batches that can be kept, the other jobs place and arrange what these hold, the source
"lines".
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from io import BufferedReader
from typing import Any, BinaryIO, cast

import numpy as np
from yard.media.batch_stream import BatchStream, IndexedBatch, batch_end
from yard.media.described import WHOLE, Described, Place
from yard.media.errors import MediaError
from yard.media.given_names import GivenNames
from yard.media.index_block import FRAMES_PER_BLOCK, decode_video, encode_columns, filled_columns
from yard.media.job_host import Arguments, Host
from yard.media.manifest import Manifest, ManifestImage, ManifestKeyframe, ManifestVideo
from yard.media.member_names import label_of
from yard.media.selection import FrameSelection
from yard.media.video_index import VideoIndex

_PIECE = 1 << 20
_NOTHING = ManifestImage(name="")


def read_images(arguments: Arguments, host: Host) -> dict[str, Any]:
    """Emits the images of a manifest in batches (see `batch_stream`), with names as they are written there.

    Each frame has the number of its line as its order, and no name if it is not described. A batch's result
    has offset and line (where it ends in the manifest), frames (up to there) and is_last.
    Arguments: most (frames); `behind`, the result of the last batch that is kept, or None.
    Returns kind; of a video nothing is emitted.
    """
    file = _file(host)
    manifest = Manifest(file, arguments["name"])
    if manifest.kind == "video":
        return {"kind": "video"}
    lines = _ReadLines(manifest, arguments["behind"])
    size = max(1, file.seek(0, 2))
    manifest.go_on(*lines.position)
    for image in manifest.images():
        if lines.frames == arguments["most"]:
            raise manifest.fault(f"more than {arguments['most']} frames are described")
        if lines.is_full:
            host.emit(lines.batch(is_last=False))
            host.progress(lines.position[0] / size)
        lines.add(image)
    host.emit(lines.batch(is_last=True))
    return {"kind": "images"}


def describe_files(arguments: Arguments, host: Host) -> dict[str, Any]:
    """Emits frame blocks of all images of a manifest in frame order; no image is opened.

    The source "files" has a JSON text [name, bytes, format] a line; addresses have the number of the line.
    Arguments: folder (that of the manifest, "" or ending in "/"); sorting, seed; start, stop (or None) and
    step of the selection, which must be described.
    Returns count, unsized (images without a size) and lengths of the blocks.
    """
    files = GivenNames(cast("BinaryIO", BufferedReader(host.open("files"), 1 << 20)), arguments["folder"])
    described = Described.of(_kept(host), arguments["name"], files.place)
    files.check(described.undescribed, arguments["name"])
    lines = described.ordered(arguments["sorting"], arguments["seed"])
    _selected(described, lines, arguments)
    lengths = _emitted(described.blocks(lines, range(len(lines)), files.size_of), host)
    return {"count": len(lines), "unsized": described.unsized, "lengths": lengths}


def describe_tree(arguments: Arguments, host: Host) -> dict[str, Any]:
    """The same for `folder` of a share: each frame is a whole file of source 0, named from the root on.

    Only the selected frames are emitted. Returns besides size, their number, and of the first and the last of
    them `name`, `width` and `height`.
    """
    described = Described.of(_kept(host), arguments["name"], _inside(arguments["folder"]))
    lines = described.ordered(arguments["sorting"], arguments["seed"])
    frames = _selected(described, lines, arguments)
    lengths = _emitted(described.blocks(lines, frames, lambda _: 0), host)
    ends = [described.address(lines[frame]) for frame in (frames[0], frames[-1])] if frames else []
    return {
        "count": len(lines),
        "unsized": described.unsized,
        "lengths": lengths,
        "size": len(frames),
        "ends": [{"name": end.name, "width": end.width, "height": end.height} for end in ends],
    }


def check_video(arguments: Arguments, host: Host) -> dict[str, Any]:
    """MediaError if a manifest says of the video of the source "index", a video block, what is not so."""
    manifest = Manifest(_file(host), arguments["name"])
    video = arguments["video"]
    if manifest.video is None:
        raise manifest.fault(f"it describes images, but {video} is a video")
    index = decode_video(host.open("index").read())
    differences = [*_differences(manifest.video, index), *_wrong_keyframes(manifest.keyframes(), index)]
    if differences:
        raise MediaError("invalid_media", f"{'; '.join(differences)} in {video}", arguments["name"])
    return {}


class _ReadLines:
    """The images that are read and not emitted yet."""

    def __init__(self, manifest: Manifest, behind: Mapping[str, int] | None) -> None:
        self._manifest = manifest
        self.position = manifest.position if behind is None else (behind["offset"], behind["line"])
        """Behind the image that was added last."""
        self.frames = 0 if behind is None else behind["frames"]
        """All that were added up to now, in earlier batches too."""
        self._names: list[bytes] = []
        self._columns = {name: array("Q") for name in ("order", "width", "height")}

    @property
    def is_full(self) -> bool:
        """Whether no other frame fits into the batch."""
        return len(self._names) == FRAMES_PER_BLOCK

    def add(self, image: ManifestImage | None) -> None:
        """The image of the line that was read last."""
        self.position = self._manifest.position
        found = image or _NOTHING
        self._names.append(found.name.encode("utf-8", "surrogatepass"))
        for name, value in (("order", self.position[1]), ("width", found.width), ("height", found.height)):
            self._columns[name].append(value)
        self.frames += 1

    def batch(self, *, is_last: bool) -> bytes:
        """Those that were added since the last one."""
        offset, line = self.position
        result = {"offset": offset, "line": line, "frames": self.frames, "is_last": is_last}
        content = batch_end(encode_columns(filled_columns(self._names, self._columns)), result)
        self._names = []
        self._columns = {name: array("Q") for name in self._columns}
        return content


def _file(host: Host) -> BinaryIO:
    return cast("BinaryIO", BufferedReader(host.open("manifest"), 1 << 20))


def _kept(host: Host) -> Iterator[IndexedBatch]:
    """The batches of the source "lines"."""
    file, stream = host.open("lines"), BatchStream()
    total = max(1, file.seek(0, 2))
    file.seek(0)
    while piece := file.read(_PIECE):
        for batch in stream.feed(piece):
            assert isinstance(batch, IndexedBatch)
            yield batch
        host.progress(0.9 * file.tell() / total)


def _selected(described: Described, lines: Sequence[int], arguments: Arguments) -> range:
    """The absolute numbers of selected frames, each of which must be described."""
    start, step = arguments["start"], arguments["step"]
    selection = FrameSelection(start=start, stop=arguments["stop"], step=step)
    frames = range(start, selection.clamp(len(lines)) + 1, step)
    for frame in frames if described.undescribed else ():
        if not described.names[lines[frame]]:
            raise MediaError("invalid_media", f"does not describe frame {frame}", arguments["name"])
    return frames


def _emitted(blocks: Iterable[bytes], host: Host) -> list[int]:
    lengths = []
    for block in blocks:
        host.emit(block)
        lengths.append(len(block))
    return lengths


def _inside(folder: str) -> Callable[[str], Place]:
    """Names from the root of the share on; all of a manifest begin in the folder, or all with it."""
    prefix: list[str] = []

    def place(name: str) -> Place:
        if label_of(name) != name:
            raise ValueError(f"expected a plain relative name, got {name[:200]!r}")
        if not prefix:
            prefix.append("" if name.startswith(folder) else folder)
        label = prefix[0] + name
        if not label.startswith(folder):
            raise ValueError(f"{name[:200]!r} is not in the folder {folder!r}")
        return label, 0, WHOLE

    return place


def _differences(claimed: ManifestVideo, index: VideoIndex) -> list[str]:
    found = []
    if claimed.frames != index.frames:
        found.append(f"it says {claimed.frames} frames, there are {index.frames}")
    sizes = {(index.width, index.height)}
    if index.rotation % 180:
        sizes.add((index.height, index.width))
    if (claimed.width, claimed.height) not in sizes:
        size = f"{index.width}x{index.height}"
        found.append(f"it says {claimed.width}x{claimed.height} pixels, there are {size}")
    return found


def _wrong_keyframes(claimed: Iterable[ManifestKeyframe], index: VideoIndex) -> list[str]:
    """The first that is wrong; time stamps that the file itself lacks are not compared."""
    for frame in claimed:
        if frame.number >= index.frames:
            return [f"it says that frame {frame.number} is a key frame, there are {index.frames} frames"]
        pts = int(index.pts[frame.number])
        if index.matching == "pts" and frame.pts != pts:
            return [f"it says that frame {frame.number} has the time {frame.pts}, it has {pts}"]
        if not np.any(index.keyframes[:, 0] == pts):
            return [f"it says that frame {frame.number} is a key frame, it is none"]
    return []
