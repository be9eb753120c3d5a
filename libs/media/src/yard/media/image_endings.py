"""Whether an image has its end: decoders show what is there of one that is cut off, without a word."""

from yard.media.jpeg_layout import jpeg_layout

_JPEG, _PNG, _PNG_END = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"IEND"

CUT_OFF = "is cut off: what is missing is gray or black"


def is_cut_off(content: bytes) -> bool:
    """Whether the end of a JPEG or PNG is missing; others do not decode without theirs."""
    if content.startswith(_JPEG):
        return not jpeg_layout(content).is_whole(content)
    return content.startswith(_PNG) and content.rfind(_PNG_END) < 0
