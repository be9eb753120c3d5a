"""The `object` elements of PASCAL VOC."""

from functools import lru_cache

from yard.annotations.labels import Attribute, LabelSchema
from yard.export.datasets.drawn import Drawn, Values
from yard.export.formats.voc_labelmap import LabelMap
from yard.export.wording.xml_text import text

ROTATION, TRUNCATED, DIFFICULT = "rotation", "truncated", "difficult"
TRACK, KEYFRAME = "track_id", "keyframe"
OWN = frozenset({ROTATION, TRACK, KEYFRAME})
"""Names among attributes that tell of the object itself."""
_KEPT = 4096


class Wording:
    """Texts of objects; what their labels and attributes say is kept, as it repeats."""

    def __init__(self, schema: LabelSchema, label_map: LabelMap) -> None:
        self._schema = schema
        self._map = label_map
        self._begun = lru_cache(maxsize=_KEPT)(self._begin)
        self._ended = lru_cache(maxsize=_KEPT)(self._end)

    def written(self, drawn: Drawn) -> str:
        """The element of a rectangle."""
        _, _, points, rotation, occluded, _, label_id, _, _, given, track, is_keyframe = drawn
        x0, y0, x1, y1 = points
        more = ""
        if rotation:
            more = _attribute(ROTATION, str(rotation))
        if track >= 0:
            more += _attribute(TRACK, str(track)) + _attribute(KEYFRAME, str(is_keyframe))
        return (
            f"{self._begun(label_id, occluded, given)}"
            f"      <xmin>{x0}</xmin>\n"
            f"      <ymin>{y0}</ymin>\n"
            f"      <xmax>{x1}</xmax>\n"
            f"      <ymax>{y1}</ymax>\n"
            f"    </bndbox>\n{self._ended(label_id, given, more)}"
        )

    def _begin(self, label_id: int, occluded: bool, given: Values) -> str:
        names = self._schema.attributes(label_id)
        said = {names[id_].name: value for id_, value in given if is_flag(names[id_])}
        truncated, difficult = (said.get(name) == "true" for name in (TRUNCATED, DIFFICULT))
        return (
            "  <object>\n"
            f"    <name>{text(self._map.names[label_id])}</name>\n"
            "    <pose>Unspecified</pose>\n"
            f"    <truncated>{truncated:d}</truncated>\n"
            f"    <occluded>{occluded:d}</occluded>\n"
            f"    <difficult>{difficult:d}</difficult>\n"
            "    <bndbox>\n"
        )

    def _end(self, label_id: int, given: Values, more: str) -> str:
        names = self._schema.attributes(label_id)
        lines = "".join(
            _attribute(names[id_].name, value)
            for id_, value in given
            if not is_flag(names[id_]) and names[id_].name not in OWN
        )
        if lines or more:
            lines = f"    <attributes>\n{lines}{more}    </attributes>\n"
        return lines + "  </object>\n"


def is_flag(attribute: Attribute) -> bool:
    """Whether the format has an element for it."""
    return attribute.is_boolean and attribute.name in (TRUNCATED, DIFFICULT)


def _attribute(name: str, value: str) -> str:
    return (
        "      <attribute>\n"
        f"        <name>{text(name)}</name>\n"
        f"        <value>{text(value)}</value>\n"
        "      </attribute>\n"
    )
