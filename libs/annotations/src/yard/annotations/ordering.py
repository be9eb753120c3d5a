"""An order of objects by what they are, so that neither the order of saving nor that of reading matters."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeVar

from yard.annotations.model import Keyframe, Shape, Tag, Track

Item = TypeVar("Item", bound=Tag | Shape | Track)
Key = tuple[object, ...]


def by_content(items: Iterable[Item]) -> list[Item]:
    """Ascending by frame, then content; ids, which tell the order of saving, only decide between equals."""
    return _sorted(items, _outline)


def by_id(items: Iterable[Item]) -> list[Item]:
    """Ascending by first frame and id, then by content."""
    return _sorted(items, _identity)


def _sorted(items: Iterable[Item], brief: Callable[[Item], Key]) -> list[Item]:
    """Only those that are brief alike are looked at as a whole: a long track has a long content."""
    listed = list(items)
    keys: list[Key] = [brief(item) for item in listed]
    if len(set(keys)) < len(keys):
        doubled = {key for key, count in Counter(keys).items() if count > 1}
        keys = [
            (*key, *_content(item)) if key in doubled else key for key, item in zip(keys, listed, strict=True)
        ]
    order = sorted(range(len(listed)), key=keys.__getitem__)
    return [listed[place] for place in order]


def _outline(item: Tag | Shape | Track) -> Key:
    if isinstance(item, Shape):
        return (item.frame, item.label_id, item.kind, item.points)
    if isinstance(item, Tag):
        return (item.frame, item.label_id)
    first, last = item.keyframes[0], item.keyframes[-1]
    return (
        first.frame,
        item.label_id,
        first.kind,
        first.points,
        last.frame,
        last.points,
        len(item.keyframes),
    )


def _identity(item: Tag | Shape | Track) -> Key:
    return (item.keyframes[0].frame if isinstance(item, Track) else item.frame, item.id)


def _content(item: Tag | Shape | Track) -> Key:
    attributes = tuple(sorted(item.attributes.items()))
    common = (item.label_id, attributes, item.group, item.source, item.origin, item.id)
    if isinstance(item, Tag):
        return common
    if isinstance(item, Shape):
        return (item.kind, item.points, item.rotation, item.z_order, item.occluded, *common)
    return (tuple(map(_of_keyframe, item.keyframes)), *common)


def _of_keyframe(keyframe: Keyframe) -> Key:
    attributes = tuple(sorted(keyframe.attributes.items()))
    where = (keyframe.frame, keyframe.kind, keyframe.points, keyframe.rotation)
    return (*where, keyframe.outside, keyframe.occluded, keyframe.z_order, attributes)
