"""What makes two archives the same: a digest of all that goes into their bytes."""

from dataclasses import fields
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from yard.annotations.labels import LabelSchema
from yard.export.domain import ProjectSubject, Subject
from yard.export.formats.format import Format

_WRITERS = ("yard.export.formats", "yard.annotations")


def digest_of(
    whole: Subject | ProjectSubject, revisions: tuple[int, ...], wanted: Format, *, with_images: bool
) -> bytes:
    """The subject with its labels, deleted frames and times, its annotations, the format and its writer."""
    described = (_plain(whole), revisions, wanted.full_name, with_images)
    return sha256(_writers() + repr(described).encode()).digest()


def _plain(value: Any) -> Any:
    if isinstance(value, Subject | ProjectSubject):
        return [(field.name, _plain(getattr(value, field.name))) for field in fields(value)]
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.labels if isinstance(value, LabelSchema) else value


@cache
def _writers() -> bytes:
    """Of the code that writes: another release may write other bytes."""
    sources = (
        (module.name, module.read_bytes())
        for package in _WRITERS
        for module in files(package).iterdir()
        if module.name.endswith(".py")
    )
    return sha256(repr(sorted(sources)).encode()).digest()
