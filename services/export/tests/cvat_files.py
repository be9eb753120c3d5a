"""Files of CVAT as they may come, in the data set of `sample`, and what is read from them."""

from collections.abc import Sequence
from typing import Any

from yard.annotations.model import AnnotationSet, Keyframe, Shape, ShapeKind
from yard.export.formats.cvat_images import CVAT_FOR_IMAGES
from yard.export.formats.cvat_video import CVAT_FOR_VIDEO
from yard.export.formats.format import Format

from services.export.tests.intake_scene import imported, tried
from services.export.tests.sample import IMAGES, SUBJECT

ROAD = 4
BOX = 'xtl="1" ytl="2" xbr="3.5" ybr="4"'
# Frames of the target are 10, 15, 20 and 25 in the source.
HEAD = "<version>1.1</version>"
META = (
    "<meta><task><start_frame>10</start_frame><stop_frame>25</stop_frame>"
    "<frame_filter>step=5</frame_filter></task></meta>"
)


def images(*lines: str, image: str = 'id="10" name="a b/10.v1.jpg"') -> bytes:
    return "\n".join(["<annotations>", f"<image {image}>", *lines, "</image>", "</annotations>"]).encode()


def tracks(*lines: str, label: str = "Straße", head: str = HEAD, more: str = "") -> bytes:
    track = [f'<track id="0" label="{label}" {more}>', *lines, "</track>"]
    return "\n".join([f"<annotations>{head}", *track, "</annotations>"]).encode()


def state(frame: int, *, outside: int = 0, keyframe: int = 1, box: str = BOX) -> str:
    return f'<box frame="{frame}" keyframe="{keyframe}" outside="{outside}" occluded="0" {box} z_order="0"/>'


def faults(content: bytes, known: Format = CVAT_FOR_IMAGES) -> list[tuple[str, str]]:
    subject = SUBJECT if b"<track" in content else IMAGES
    return [(fault.where, fault.reason) for fault in tried(known, content, subject, name="given.xml").faults]


def shapes(content: bytes) -> Sequence[Shape]:
    return imported(CVAT_FOR_IMAGES, content, IMAGES, name="given.xml").shapes


def of_video(content: bytes) -> AnnotationSet:
    return imported(CVAT_FOR_VIDEO, content, name="given.xml")


def key(frame: int, **more: Any) -> Keyframe:
    return Keyframe(frame=frame, kind=ShapeKind.RECTANGLE, points=(1, 2, 3.5, 4), **more)
