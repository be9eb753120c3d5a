"""What child processes do to make chunks, frames and previews: functions of (arguments, host).

Videos come as the sources "index" (a video block) and "video"; images as sources named by their numbers, with
their addresses in the arguments. Content is emitted; the result tells `width` and `height` of the (first)
upright picture in pixels and, for single pictures, the `content_type`.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import RawIOBase
from threading import local
from typing import Any, BinaryIO, Literal, Protocol, cast

import av
from yard.media.claims import CLAIMED, confirmed
from yard.media.decode import Picture, VideoReader
from yard.media.decode_image import decode_image, decode_small, is_jpeg, shrunk
from yard.media.encode_jpeg import FrameEncoder, Pixels, encode_rgb
from yard.media.encode_png import encode_png
from yard.media.errors import MediaError
from yard.media.image_file import ImageFiles
from yard.media.index_block import PAGE_METHODS, ImageAddress, decode_video
from yard.media.mp4_chunk import encode_mp4
from yard.media.page_reader import PageReader
from yard.media.parallel import in_order
from yard.media.selection import FrameSelection
from yard.media.sniff import HEAD_BYTES, sniff
from yard.media.zip_chunk import zip_frames, zip_stored

Arguments = Mapping[str, Any]
Result = dict[str, object]
Look = Literal["jpeg", "original", "png", "preview"]

PREVIEW_QUALITY = 80
UNCHANGED_QUALITY = 100
"""From this quality on, upright JPEG images are not encoded again."""

_THREADS = 2
_LARGE_PIXELS = 40_000_000
"""Images of more pixels are decoded one at a time, as their pixels fill the memory."""


class Host(Protocol):
    """The side of the process that reads sources and takes what is made."""

    def open(self, name: str, /) -> RawIOBase:
        """A source as a seekable file."""

    def emit(self, chunk: bytes, /) -> None:
        """Sends content on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Encoded:
    content: bytes
    content_type: str
    width: int
    height: int

    def result(self) -> Result:
        return {"content_type": self.content_type, "width": self.width, "height": self.height}


def video_zip(arguments: Arguments, host: Host) -> Result:
    """Frames `first` to `last` of a video as JPEGs of `quality` in a zip; each leaves once it is there."""
    encoders = local()

    def encode(picture: Picture) -> bytes:
        if not hasattr(encoders, "own"):
            encoders.own = FrameEncoder(arguments["quality"])
        content: bytes = encoders.own.encode(picture.frame)
        return content

    with _video(arguments, host) as (reader, frames), closing(reader.frames(frames)) as pictures:
        for piece in zip_frames(in_order(encode, pictures, _THREADS)):
            host.emit(piece)
        return {"width": reader.index.width, "height": reader.index.height}


def video_mp4(arguments: Arguments, host: Host) -> Result:
    """Frames `first` to `last` of a video as H.264 with the constant rate factor `crf`."""
    with _video(arguments, host) as (reader, frames), closing(reader.frames(frames)) as pictures:
        for piece in encode_mp4((picture.frame for picture in pictures), arguments["crf"]):
            host.emit(piece)
        return {"width": reader.index.width, "height": reader.index.height}


def video_frame(arguments: Arguments, host: Host) -> Result:
    """Frame `first` of a video as `look` says."""
    with _video(arguments, host) as (reader, frames), closing(reader.frames(frames[:1])) as pictures:
        frame = next(pictures).frame
        encoded = _of_frame(frame, arguments["look"], arguments["quality"])
    host.emit(encoded.content)
    return encoded.result()


def image_zip(arguments: Arguments, host: Host) -> Result:
    """The `images` in a zip: as JPEGs of `quality`, or their own bytes if `look` is "original"."""
    addresses = _addresses(arguments["images"])
    look, quality = arguments["look"], arguments["quality"]
    images = local()

    def encode(address: ImageAddress) -> _Encoded:
        if not hasattr(images, "own"):
            images.own = _Images(host)
        encoded: _Encoded = images.own.encode(address, look, quality)
        return encoded

    sizes: list[Result] = []
    encoded = in_order(encode, addresses, _threads(addresses))
    for piece in zip_stored(_members(encoded, sizes)):
        host.emit(piece)
    return sizes[0]


def image_frame(arguments: Arguments, host: Host) -> Result:
    """The one image of `images` as `look` says."""
    [address] = _addresses(arguments["images"])
    encoded = _Images(host).encode(address, arguments["look"], arguments["quality"])
    host.emit(encoded.content)
    return encoded.result()


class _Images:
    """Reads and encodes the images of one thread."""

    def __init__(self, host: Host) -> None:
        def opened(source: int) -> BinaryIO:
            return _file(host, str(source))

        self._files, self._pages = ImageFiles(opened), PageReader(opened)

    def encode(self, address: ImageAddress, look: Look, quality: int) -> _Encoded:
        """An image or a page; MediaError names it."""
        if address.method in PAGE_METHODS and address.orientation != CLAIMED:
            return _of_pixels(self._pages.render(address), look, quality)
        return _of_image(self._files.read(address), address, look, quality)


@contextmanager
def _video(arguments: Arguments, host: Host) -> Iterator[tuple[VideoReader, list[int]]]:
    """The video, and the numbers of the wanted frames in it."""
    index = decode_video(_file(host, "index").read())
    selection = FrameSelection(start=arguments["start"], step=arguments["step"])
    frames = [selection.absolute(frame) for frame in range(arguments["first"], arguments["last"] + 1)]
    with (
        _told_apart(arguments["name"]),
        VideoReader(_file(host, "video"), index, arguments["name"]) as reader,
    ):
        yield reader, frames


@contextmanager
def _told_apart(name: str) -> Iterator[None]:
    """What the decoder says of a file is a fault of the file."""
    try:
        yield
    except av.FFmpegError as error:
        raise MediaError("invalid_media", f"cannot be decoded ({error.strerror})", name) from error


def _of_frame(frame: av.VideoFrame, look: Look, quality: int) -> _Encoded:
    encoder = FrameEncoder(quality)
    size = {"width": frame.width, "height": frame.height}
    match look:
        case "preview":
            return _preview(shrunk(encoder.to_rgb(frame)))
        case "png" | "original":
            content = encode_png(encoder.to_rgb(frame))
            return _Encoded(content=content, content_type="image/png", **size)
        case "jpeg":
            return _Encoded(content=encoder.encode(frame), content_type="image/jpeg", **size)


def _of_image(content: bytes, address: ImageAddress, look: Look, quality: int) -> _Encoded:
    address = confirmed(content, address)
    if look == "original" and address.method not in PAGE_METHODS:
        return _unchanged(content, address)
    place = {"orientation": address.orientation, "page": address.page}
    if look == "preview":
        return _preview(decode_small(content, address.name, **place))
    is_fine = quality >= UNCHANGED_QUALITY and address.orientation == 1 and is_jpeg(content)
    if look == "jpeg" and is_fine:
        return _unchanged(content, address)
    return _of_pixels(decode_image(content, address.name, **place), look, quality)


def _of_pixels(pixels: Pixels, look: Look, quality: int) -> _Encoded:
    height, width = pixels.shape[:2]
    size = {"width": width, "height": height}
    match look:
        case "preview":
            return _preview(shrunk(pixels))
        case "jpeg":
            return _Encoded(content=encode_rgb(pixels, quality), content_type="image/jpeg", **size)
        case "png" | "original":
            return _Encoded(content=encode_png(pixels), content_type="image/png", **size)


def _unchanged(content: bytes, address: ImageAddress) -> _Encoded:
    """The source's own bytes, if they are an image; the pixels tell the size where the index has none."""
    kind = sniff(content[:HEAD_BYTES])
    if kind is None or kind.family != "image":
        raise MediaError("invalid_media", "is not an image", address.name)
    width, height = address.width, address.height
    if not width or not height:
        height, width = decode_image(content, address.name, orientation=address.orientation).shape[:2]
    # Of HEIF files only AVIF is indexed.
    name = "avif" if kind.name == "heif" else kind.name
    return _Encoded(content=content, content_type=f"image/{name}", width=width, height=height)


def _preview(pixels: Pixels) -> _Encoded:
    height, width = pixels.shape[:2]
    content = encode_rgb(pixels, PREVIEW_QUALITY)
    return _Encoded(content=content, content_type="image/jpeg", width=width, height=height)


def _members(encoded: Iterator[_Encoded], sizes: list[Result]) -> Iterator[tuple[str, bytes]]:
    """Names and contents; notes the size of the first picture."""
    for position, picture in enumerate(encoded):
        if not sizes:
            sizes.append({"width": picture.width, "height": picture.height})
        yield f"{position:06d}.{picture.content_type.removeprefix('image/')}", picture.content


def _file(host: Host, name: str) -> BinaryIO:
    """A source; its raw reads are never short."""
    return cast("BinaryIO", host.open(name))


def _addresses(images: list[dict[str, Any]]) -> list[ImageAddress]:
    return [ImageAddress(**image) for image in images]


def _threads(addresses: list[ImageAddress]) -> int:
    """Pages come from one file after the other, and the library of PDF knows one thread."""
    largest = max(address.width * address.height for address in addresses)
    has_pages = any(address.method in PAGE_METHODS for address in addresses)
    return 1 if has_pages or largest > _LARGE_PIXELS else _THREADS
