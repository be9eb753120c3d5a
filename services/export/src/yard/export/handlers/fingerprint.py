"""What makes two archives the same: a digest of all that goes into their bytes."""

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from yard.annotations.labels import LabelSchema
from yard.export.domain import ProjectSubject, Subject
from yard.export.formats.format import Format

_WRITERS = ("yard.export", "yard.annotations", "yard.media")


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
    return sha256(repr(sorted(sources().items())).encode()).digest()


def sources() -> dict[str, bytes]:
    """All that writers are made of, by the names of modules."""
    return {name: content for package in _WRITERS for name, content in _modules(files(package), package)}


def _modules(folder: Traversable, package: str) -> Iterator[tuple[str, bytes]]:
    for each in folder.iterdir():
        if each.name.endswith(".py"):
            yield f"{package}.{each.name[: -len('.py')]}".removesuffix(".__init__"), each.read_bytes()
        elif each.is_dir() and each.name.isidentifier():
            yield from _modules(each, f"{package}.{each.name}")
