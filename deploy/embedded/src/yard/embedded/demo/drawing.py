"""What the two annotators of the demonstration draw: the same car, each as they see it."""

from frameyard.annotation.v1 import annotation_pb2 as annotation
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.task.v1.label_pb2 import (
    ATTRIBUTE_INPUT_CHECKBOX,
    ATTRIBUTE_INPUT_SELECT,
    LABEL_KIND_ANY,
    LABEL_KIND_POLYGON,
    Attribute,
    Label,
)

LABELS = (
    Label(
        name="car",
        color="#e63c32",
        kind=LABEL_KIND_ANY,
        attributes=[
            Attribute(name="colour", input=ATTRIBUTE_INPUT_SELECT, values=["red", "green", "blue"]),
            Attribute(name="parked", input=ATTRIBUTE_INPUT_CHECKBOX, mutable=True),
        ],
    ),
    Label(name="road", color="#5a5ae6", kind=LABEL_KIND_POLYGON),
)


class Palette:
    """Ids of labels and attributes by name, as the platform gave them."""

    def __init__(self, labels: list[Label]) -> None:
        self._labels = {label.name: label for label in labels}

    def label(self, name: str) -> int:
        """Id of a label."""
        return self._labels[name].id

    def value(self, label: str, attribute: str, value: str) -> annotation.AttributeValue:
        """A value of an attribute."""
        found = next(each for each in self._labels[label].attributes if each.name == attribute)
        return annotation.AttributeValue(attribute_id=found.id, value=value)


def street(palette: Palette, frames: FrameRange, both_see: int, shift: float) -> annotation.AnnotationSet:
    """A car as a box on a frame of the overlap, the road, and a car as a track over all frames of a job.

    `shift` is how far, in pixels, this annotator's hand is off.
    """
    first, last = frames.first, frames.last
    return annotation.AnnotationSet(
        shapes=[
            annotation.Shape(
                frame=both_see,
                label_id=palette.label("car"),
                kind=annotation.SHAPE_KIND_RECTANGLE,
                points=[100 + shift, 120 + shift, 420 + shift, 300 + shift],
                attributes=[palette.value("car", "colour", "green")],
            ),
            annotation.Shape(
                frame=first,
                label_id=palette.label("road"),
                kind=annotation.SHAPE_KIND_POLYGON,
                points=[0, 700, 400, 420, 900, 420, 1279, 700],
            ),
        ],
        tracks=[
            annotation.Track(
                label_id=palette.label("car"),
                attributes=[palette.value("car", "colour", "red")],
                keyframes=[_at(frame, shift) for frame in (first, (first + last) // 2, last)],
            )
        ],
    )


def photo_box(palette: Palette, frame: int) -> annotation.Shape:
    """A car on a photo."""
    return annotation.Shape(
        frame=frame,
        label_id=palette.label("car"),
        kind=annotation.SHAPE_KIND_RECTANGLE,
        points=[200.0 + frame, 150.0, 520.0 + frame, 380.0],
        attributes=[palette.value("car", "colour", "blue")],
    )


def _at(frame: int, shift: float) -> annotation.Keyframe:
    left = 40 + frame * 1.5 + shift
    return annotation.Keyframe(
        frame=frame,
        kind=annotation.SHAPE_KIND_RECTANGLE,
        points=[left, 330 + shift, left + 200, 470 + shift],
    )
