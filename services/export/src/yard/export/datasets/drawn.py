"""What is on a frame, as formats write it. Named tuples: a million of them are made in about a second."""

from typing import NamedTuple

from yard.annotations.model import ShapeKind, Source

Values = tuple[tuple[int, str], ...]
"""Attribute ids with their values, all those of the label in its order; equal ones are often one object."""


class Frame(NamedTuple):
    """One frame of one task of a data set. The size is that of the upright picture, pixels."""

    number: int
    """Relative number in its task, from 0."""
    source_number: int
    """Number in the source, before start and step."""
    name: str
    """Name with folders, unique in its subset; frames of a video have no extension."""
    file_name: str
    """Name of its file in an archive: with an extension always."""
    item: str
    """`file_name` without the last extension if that is unique in its subset, else `file_name`."""
    width: int
    height: int
    part: int
    """Which of the data set's parts it belongs to, from 0."""


class Drawn(NamedTuple):
    """An object on one frame: a shape, or the visible state of a track there. Points are pixels."""

    frame: int
    kind: ShapeKind
    points: list[float]
    """See yard.annotations.geometry for their meaning by kind."""
    rotation: float
    """Clockwise degrees."""
    occluded: bool
    z_order: int
    label_id: int
    group: int
    """Id of its group in its task; 0: none."""
    source: Source
    attributes: Values
    """All attributes of the label, with defaults where none was given."""
    track: int
    """Number of its track in its part, from 0; -1: a shape."""
    is_keyframe: bool
    """Whether its track has a keyframe there; False for shapes."""


class Tagged(NamedTuple):
    """A label on a whole frame."""

    frame: int
    label_id: int
    group: int
    source: Source
    attributes: Values


class Picture(NamedTuple):
    """A frame and what is on it; objects ascend by z order, equal ones as they were made."""

    frame: Frame
    objects: list[Drawn]
    tags: list[Tagged]
