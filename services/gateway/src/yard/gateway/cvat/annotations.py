"""What annotations are in JSON, to describe the API: they are read and written without these models."""

from pydantic import BaseModel, Field


class AttributeValue(BaseModel):
    """The value of an attribute."""

    spec_id: int = Field(description="Id of the attribute.")
    value: str


class TrackedShape(BaseModel):
    """A keyframe."""

    frame: int = Field(description="Frame of the task, from 0.")
    type: str = Field(description="rectangle, polygon, polyline, points, ellipse, cuboid or mask.")
    points: list[float] = Field(description="Numbers as the type has them.")
    occluded: bool = False
    outside: bool = Field(False, description="Whether it has left the picture.")
    z_order: int = 0
    rotation: float = Field(0.0, description="Clockwise, degrees.")
    attributes: list[AttributeValue] = Field([], description="Values of mutable attributes.")


class Tag(BaseModel):
    """A label on a whole frame."""

    id: int | None = None
    frame: int
    label_id: int
    group: int | None = 0
    source: str = Field("manual", description="manual, auto, semi-auto or file.")
    attributes: list[AttributeValue] = []


class Shape(TrackedShape):
    """An object on one frame."""

    id: int | None = None
    label_id: int
    group: int | None = 0
    source: str = "manual"
    elements: list[object] = Field([], description="Always empty: there are no skeletons.")


class Track(BaseModel):
    """An object over frames."""

    id: int | None = None
    frame: int = Field(description="That of the first keyframe.")
    label_id: int
    group: int | None = 0
    source: str = "manual"
    attributes: list[AttributeValue] = Field([], description="Values of immutable attributes.")
    shapes: list[TrackedShape] = Field(description="Keyframes, one or more.")
    elements: list[object] = Field([], description="Always empty: there are no skeletons.")


class LabeledData(BaseModel):
    """Objects of a job or a task; `version` is the revision."""

    version: int = 0
    tags: list[Tag] = []
    shapes: list[Shape] = []
    tracks: list[Track] = []
