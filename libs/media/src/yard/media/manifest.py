"""manifest.jsonl, versions 1.0 and 1.1: what media hold, one JSON text a line, read and written as a stream.

    {"version": "1.1"}
    {"type": "images"}                  then a line an image, {} where a frame is not described
    {"name": "folder/0001", "extension": ".jpg", "width": 640, "height": 480, "meta": {"related_images": []}}

    {"type": "video"}                   then the properties, then a line a key frame
    {"properties": {"name": "clip.mp4", "resolution": [640, 480], "length": 1200}}
    {"number": 0, "pts": 0, "checksum": "..."}

Widths and heights are upright pixels. All of it is a claim until the media are read.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal, cast

from yard.media.errors import MediaError

ManifestKind = Literal["images", "video"]

VERSIONS = ("1.0", "1.1")
LONGEST_LINE = 65_536
"""Bytes of one line."""

_MOST_RELATED = 100
_LARGEST_SIDE = 1 << 20
_WRITE_BYTES = 64 << 10

Item = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestImage:
    """An image; `name` has its extension, width and height are 0 where the manifest does not tell them."""

    name: str
    width: int = 0
    height: int = 0
    checksum: str = ""
    related: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestKeyframe:
    """A frame from which decoding may start; `number` counts decoded frames, `pts` ticks of the stream."""

    number: int
    pts: int
    checksum: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestVideo:
    """The video; `frames` is its number of frames."""

    name: str
    width: int
    height: int
    frames: int


class Manifest:
    """A manifest that is being read; its items can be read once, `images` or `keyframes` by its kind."""

    def __init__(self, file: BinaryIO, name: str = "manifest.jsonl") -> None:
        """Reads the first lines; MediaError, with the number of the line, if this is no manifest."""
        self._lines = _Lines(file, name)
        item = self._lines.required("version")
        if item.get("version") not in VERSIONS:
            raise self._lines.fault(f"expected version 1.0 or 1.1, got {item.get('version')!r}"[:200])
        kind = self._lines.required("type").get("type")
        if kind not in ("images", "video"):
            raise self._lines.fault(f"expected type images or video, got {kind!r}"[:200])
        self.version: str = item["version"]
        self.kind = cast("ManifestKind", kind)
        self.video = _video(self._lines) if kind == "video" else None

    def fault(self, message: str) -> MediaError:
        """A fault of the line that was read last, for who finds more wrong with it than its form."""
        return self._lines.fault(message)

    @property
    def position(self) -> tuple[int, int]:
        """Offset behind the line that was read last, bytes, and its number."""
        return self._lines.position

    def go_on(self, offset: int, line: int) -> None:
        """Continues behind a line that was read before: takes what `position` has said then."""
        self._lines.go_on(offset, line)

    def images(self) -> Iterator[ManifestImage | None]:
        """One image a line, in the order of frames; None for a frame that is not described."""
        assert self.kind == "images"
        for item in self._lines:
            yield _image(self._lines, item) if item else None

    def keyframes(self) -> Iterator[ManifestKeyframe]:
        """Key frames with rising numbers and times; MediaError also if there is none."""
        assert self.video is not None
        number, pts = -1, None
        for item in self._lines:
            frame = _keyframe(self._lines, item)
            if frame.number <= number or (pts is not None and frame.pts <= pts):
                raise self._lines.fault("number and pts must rise from key frame to key frame")
            if frame.number >= self.video.frames:
                raise self._lines.fault(f"number must be less than the length {self.video.frames}")
            number, pts = frame.number, frame.pts
            yield frame
        if number < 0:
            raise self._lines.fault("expected key frames, got none")


class _Lines:
    """The JSON objects of a file; blank lines are passed over."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._offset = self._number = 0

    def __iter__(self) -> Iterator[Item]:
        decode = json.JSONDecoder(parse_constant=_refused).decode
        while line := self._file.readline(LONGEST_LINE + 1):
            self._number += 1
            self._offset += len(line)
            if len(line) > LONGEST_LINE:
                raise self.fault(f"is longer than {LONGEST_LINE} bytes")
            if line.isspace():
                continue
            try:
                item = decode(line.decode("utf-8-sig" if self._number == 1 else "utf-8"))
            except (ValueError, RecursionError) as error:
                raise self.fault("is not JSON in UTF-8") from error
            if type(item) is not dict:
                raise self.fault("is not a JSON object")
            yield item

    def required(self, key: str) -> Item:
        """The next object, which has this key."""
        item = next(iter(self), None)
        if item is None or key not in item:
            raise self.fault(f"expected {key!r}")
        return item

    @property
    def position(self) -> tuple[int, int]:
        """As of `Manifest`."""
        return self._offset, self._number

    def go_on(self, offset: int, line: int) -> None:
        """As of `Manifest`."""
        self._file.seek(offset)
        self._offset, self._number = offset, line

    def fault(self, message: str) -> MediaError:
        """A fault of the line that was read last."""
        return line_fault(self._name, self._number, message)


def line_fault(name: str, line: int, message: str) -> MediaError:
    """A fault of a line of the manifest `name`."""
    return MediaError("invalid_media", f"line {max(1, line)}: {message}", name)


def _refused(constant: str) -> None:
    raise ValueError(constant)


def _video(lines: _Lines) -> ManifestVideo:
    properties = lines.required("properties")["properties"]
    if type(properties) is not dict:
        raise lines.fault("expected an object of properties")
    resolution = properties.get("resolution")
    if type(resolution) is not list or len(resolution) != 2:
        raise lines.fault("expected resolution as [width, height]")
    width, height = (_integer(lines, "resolution", side, 1, _LARGEST_SIDE) for side in resolution)
    return ManifestVideo(
        name=_text(lines, properties, "name"),
        width=width,
        height=height,
        frames=_integer(lines, "length", properties.get("length"), 1, 1 << 40),
    )


def _image(lines: _Lines, item: Item) -> ManifestImage:
    width, height = item.get("width"), item.get("height")
    has_size = width is not None or height is not None
    meta = item.get("meta")
    return ManifestImage(
        name=_text(lines, item, "name") + _text(lines, item, "extension", may_be_empty=True),
        width=_integer(lines, "width", width, 1, _LARGEST_SIDE) if has_size else 0,
        height=_integer(lines, "height", height, 1, _LARGEST_SIDE) if has_size else 0,
        checksum=_checksum(lines, item),
        related=_related(lines, meta) if meta else (),
    )


def _keyframe(lines: _Lines, item: Item) -> ManifestKeyframe:
    return ManifestKeyframe(
        number=_integer(lines, "number", item.get("number"), 0, 1 << 40),
        pts=_integer(lines, "pts", item.get("pts"), -(1 << 62), 1 << 62),
        checksum=_checksum(lines, item),
    )


def _related(lines: _Lines, meta: object) -> tuple[str, ...]:
    related = (meta.get("related_images") or []) if isinstance(meta, dict) else None
    if type(related) is not list or len(related) > _MOST_RELATED or any(type(r) is not str for r in related):
        raise lines.fault(f"expected at most {_MOST_RELATED} names of related_images in an object meta")
    return tuple(related)


def _checksum(lines: _Lines, item: Item) -> str:
    checksum = item.get("checksum")
    return "" if checksum is None else _text(lines, item, "checksum", may_be_empty=True)


def _text(lines: _Lines, item: Item, key: str, *, may_be_empty: bool = False) -> str:
    value = item.get(key)
    if type(value) is not str or not (value or may_be_empty):
        raise lines.fault(f"expected {key!r} as a text")
    return value


def _integer(lines: _Lines, key: str, value: object, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise lines.fault(f"expected {key!r} as an integer from {least} to {most}")
    return value


def write_images(images: Iterable[ManifestImage | None]) -> Iterator[bytes]:
    """A manifest 1.1 of images in pieces of about 64 KiB; None stands for a frame that is not described."""
    yield from _pieces([{"version": "1.1"}, {"type": "images"}], map(_image_item, images))


def image_lines(images: Iterable[ManifestImage | None]) -> Iterator[bytes]:
    """The lines of more images, to follow those of `write_images`."""
    yield from _pieces([], map(_image_item, images))


def write_video(video: ManifestVideo, keyframes: Iterable[ManifestKeyframe]) -> Iterator[bytes]:
    """A manifest 1.1 of a video in pieces of about 64 KiB."""
    properties = {"name": video.name, "resolution": [video.width, video.height], "length": video.frames}
    head: list[Item] = [{"version": "1.1"}, {"type": "video"}, {"properties": properties}]
    yield from _pieces(head, map(_keyframe_item, keyframes))


def _image_item(image: ManifestImage | None) -> Item:
    if image is None:
        return {}
    folder, slash, file = image.name.rpartition("/")
    stem, dot, suffix = file.rpartition(".")
    has_suffix = bool(stem and dot)
    item: Item = {
        "name": folder + slash + (stem if has_suffix else file),
        "extension": dot + suffix if has_suffix else "",
    }
    if image.width and image.height:
        item["width"], item["height"] = image.width, image.height
    if image.related:
        item["meta"] = {"related_images": list(image.related)}
    if image.checksum:
        item["checksum"] = image.checksum
    return item


def _keyframe_item(frame: ManifestKeyframe) -> Item:
    item: Item = {"number": frame.number, "pts": frame.pts}
    return {**item, "checksum": frame.checksum} if frame.checksum else item


def _pieces(head: list[Item], items: Iterable[Item]) -> Iterator[bytes]:
    encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
    piece = bytearray()
    for group in (head, items):
        for item in group:
            piece += encode(item).encode("utf-8", "surrogatepass") + b"\n"
            if len(piece) >= _WRITE_BYTES:
                yield bytes(piece)
                piece.clear()
    if piece:
        yield bytes(piece)
