"""What jobs that make chunks, frames and previews are given and give.

A job is a function of (arguments, host). Its result tells `width` and `height` of the (first) upright picture
in pixels, `corrupt` (relative frame and reason of each frame that is shown as a placeholder, or in part) and,
for single pictures, the `content_type`.
"""

from dataclasses import dataclass
from typing import Literal

from yard.media.decode_image import shrunk
from yard.media.encode_jpeg import Pixels, encode_rgb
from yard.media.encode_png import encode_png

Result = dict[str, object]
Look = Literal["jpeg", "original", "png", "preview"]

PREVIEW_QUALITY = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A picture as bytes; sizes in pixels."""

    content: bytes
    content_type: str
    width: int
    height: int
    corrupt: tuple[tuple[int, str], ...] = ()
    """Its relative frame, and why a placeholder or a part of it is shown; nothing if it is itself."""

    def result(self) -> Result:
        """What a job says of it."""
        return {
            "content_type": self.content_type,
            "width": self.width,
            "height": self.height,
            "corrupt": [list(each) for each in self.corrupt],
        }


def of_pixels(pixels: Pixels, look: Look, quality: int) -> Encoded:
    """Upright pixels as `look` says; `quality` is that of a JPEG."""
    height, width = pixels.shape[:2]
    size = {"width": width, "height": height}
    match look:
        case "preview":
            return preview(shrunk(pixels))
        case "jpeg":
            return Encoded(content=encode_rgb(pixels, quality), content_type="image/jpeg", **size)
        case "png" | "original":
            return Encoded(content=encode_png(pixels), content_type="image/png", **size)


def preview(pixels: Pixels) -> Encoded:
    """Pixels that are small already."""
    height, width = pixels.shape[:2]
    content = encode_rgb(pixels, PREVIEW_QUALITY)
    return Encoded(content=content, content_type="image/jpeg", width=width, height=height)
