"""Orders of lists as clients write them: names with commas between, those that descend with a minus."""

from typing import Final

from frameyard.common.v1.filter_pb2 import SortKey
from yard.gateway.cvat.fields import Constant, Fields
from yard.runtime import errors

MOST: Final = 5


def keys_of(text: str, fields: Fields, default: str = "-id") -> list[SortKey]:
    """What rows are sorted by; a field that is the same everywhere sorts nothing."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name.removeprefix("-") not in fields]
    if unknown:
        raise errors.invalid("sort", f"there is no field {unknown[0][:60]!r}, only {', '.join(fields)}")
    keys = [key for name in names or [default] if (key := _key(name, fields)) is not None]
    if len(keys) > MOST:
        raise errors.invalid("sort", f"names {len(keys)} fields, at most {MOST} are possible")
    return keys or keys_of(default, fields)


def _key(name: str, fields: Fields) -> SortKey | None:
    field = fields[name.removeprefix("-")]
    if isinstance(field, Constant):
        return None
    return SortKey(field=field.ours, descending=name.startswith("-"))
