"""PNGs of masks: written for wide areas of one value, read without trust."""

import io
import zlib
from collections.abc import Callable
from typing import Final, TypeVar

from PIL import Image
from yard.export.archives.opened import Entry, Opened
from yard.export.intakes.intake import Intake

Found = TypeVar("Found")
_END: Final = b"IEND\xaeB`\x82"
# No picture of a frame needs more, however badly it is packed.
_HEAD_BYTES, _PIXEL_BYTES, _TAIL_BYTES = 1 << 20, 10, 1024


def encoded(image: Image.Image) -> bytes:
    """The file: runs are all that is worth to be looked for."""
    target = io.BytesIO()
    image.save(target, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    return target.getvalue()


def decoded(
    opened: Opened, intake: Intake, entry: Entry, frame: int, take: Callable[[Image.Image], Found]
) -> Found | None:
    """What `take` makes of a whole PNG of the frame's size; refuses others and gives None."""
    size = intake.frame_size(frame)
    with opened.open(entry) as file:
        content = file.read(_HEAD_BYTES + size[0] * size[1] * _PIXEL_BYTES)
    # Pillow may have been told to make do with less, for pictures of tasks: here less is wrong.
    if _END not in content[-_TAIL_BYTES:]:
        intake.refuse(entry.name, "is no PNG that can be read: it has no end")
        return None
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            if image.size == size:
                return take(image)
            intake.refuse(entry.name, f"is {image.size} pixels large, its frame is {size}")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as fault:
        intake.refuse(entry.name, f"is no PNG that can be read: {fault}")
    return None
