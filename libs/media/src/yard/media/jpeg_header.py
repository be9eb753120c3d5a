"""The header of a JPEG: its markers up to the frame header."""

from yard.media.byte_window import MoreNeededError, PartWindow, Window
from yard.media.errors import MediaError
from yard.media.image_facts import Colours, ImageFacts
from yard.media.tiff_directory import orientation_of

_EXIF = b"Exif\0\0"
_FRAMES = frozenset((0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA, 0xCB))
_HIERARCHICAL = frozenset((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF))
_ALONE = frozenset((0x00, 0x01, *range(0xD0, 0xD9), 0xFF))
_UNREADABLE = _HIERARCHICAL | {0xD9, 0xDA}
_COLOURS: dict[int, Colours] = {1: "gray", 3: "rgb", 4: "cmyk"}
_MOST_MARKERS = 4096
_MOST_JUNK = 65_536


def jpeg_facts(window: Window) -> ImageFacts:
    """Size, colours and EXIF orientation; segments after the frame header are not looked at."""
    offset, orientation = 2, 0
    for _ in range(_MOST_MARKERS):
        fill, marker, *size = window.at(offset, 4)
        if fill != 0xFF or marker in _ALONE:
            offset = _after_junk(window, offset)
            continue
        length = size[0] << 8 | size[1]
        if marker in _FRAMES:
            return _frame(window.at(offset + 4, 6), orientation or 1)
        if marker == 0xE1 and not orientation and length > 14:
            orientation = _orientation(window, offset + 4, length - 2)
        if marker in _UNREADABLE or length < 2:
            raise _unreadable(marker)
        offset += 2 + length
    raise MediaError("limit", f"has more than {_MOST_MARKERS} JPEG segments")


def _after_junk(window: Window, offset: int) -> int:
    """Where the next marker with a segment is: fill bytes and some junk are passed over."""
    for position in range(offset, offset + _MOST_JUNK):
        fill, marker = window.at(position, 2)
        if fill == 0xFF and marker not in _ALONE:
            return position
    raise MediaError("invalid_media", "is a JPEG without a frame header")


def _unreadable(marker: int) -> MediaError:
    if marker in _HIERARCHICAL:
        return MediaError("unsupported", "is a hierarchical JPEG")
    return MediaError("invalid_media", "is a JPEG without a frame header")


def _frame(header: bytes, orientation: int) -> ImageFacts:
    bits, channels = header[0], header[5]
    if bits != 8 or channels not in _COLOURS:
        raise MediaError("unsupported", f"is a JPEG of {channels} channels with {bits} bits")
    return ImageFacts(
        format="jpeg",
        width=header[3] << 8 | header[4],
        height=header[1] << 8 | header[2],
        colours=_COLOURS[channels],
        channels=channels,
        bits=8,
        orientation=orientation,
    )


def _orientation(window: Window, offset: int, length: int) -> int:
    """0 if this is no EXIF segment."""
    if window.at(offset, 6) != _EXIF:
        return 0
    try:
        return orientation_of(PartWindow(window, offset + 6, length - 6))
    except MoreNeededError as more:
        # Rather the whole segment at once than piece by piece.
        raise MoreNeededError(max(more.size, offset + length)) from None
