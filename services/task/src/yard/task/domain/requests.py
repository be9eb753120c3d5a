"""Rules of the fields that projects and tasks have in common."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from frameyard.task.v1 import task_pb2
from yard.runtime.egress import RepositoryField
from yard.runtime.errors import Violation

LONGEST_NAME: Final = 256
LONGEST_KEY: Final = 2 * LONGEST_NAME
LONGEST_URL: Final = 2_000
LONGEST_SUBSET: Final = 64
LONGEST_FORMAT: Final = 100


def name_key(text: str) -> str:
    """Equal for names that differ in case or in the composition of characters only.

    Some characters are composed of many; a key is cut to what a row of an index has room for.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())[:LONGEST_KEY]


def name_violations(name: str, field: str = "name") -> Iterator[Violation]:
    """1 to 256 characters that can be shown."""
    if not name.strip() or len(name) > LONGEST_NAME:
        yield Violation(field, f"must have 1 to {LONGEST_NAME} characters, got {len(name)}")
    elif not name.isprintable():
        yield Violation(field, "must not hold control characters")


def issue_tracker_violations(url: str, field: str = "issue_tracker") -> Iterator[Violation]:
    """Empty, or a full http or https URL."""
    if len(url) > LONGEST_URL:
        yield Violation(field, f"must have at most {LONGEST_URL} characters, got {len(url)}")
    elif url and not _is_url(url, {"http", "https"}):
        yield Violation(field, "must be a full http or https URL")


def subset_violations(subset: str, field: str = "subset") -> Iterator[Violation]:
    """Empty, or a short name."""
    if len(subset) > LONGEST_SUBSET:
        yield Violation(field, f"must have at most {LONGEST_SUBSET} characters, got {len(subset)}")
    elif not subset.isprintable():
        yield Violation(field, "must not hold control characters")


def repository_violations(repository: task_pb2.DatasetRepository) -> Iterator[Violation]:
    """A location `URL [PATH]` without a password, and a format of a possible length."""
    try:
        RepositoryField.parse(repository.location)
    except ValueError as fault:
        yield Violation("repository.location", str(fault))
    if len(repository.format) > LONGEST_FORMAT or not repository.format.isprintable():
        yield Violation("repository.format", f"must be at most {LONGEST_FORMAT} characters to show")


def mask_violations(paths: Sequence[str], allowed: Sequence[str]) -> Iterator[Violation]:
    """A mask names at least one of the fields that can be changed, and no other."""
    unknown = [path for path in paths if path not in allowed]
    if unknown or not paths:
        got = f"got {unknown[0]!r}" if unknown else "it is empty"
        yield Violation("update_mask", f"must be of {', '.join(allowed)}; {got}")


def search_violations(text: str, field: str = "name_contains") -> Iterator[Violation]:
    """Part of a name."""
    if len(text) > LONGEST_NAME or not text.isprintable():
        yield Violation(field, f"must be at most {LONGEST_NAME} characters of a name")


def _is_url(text: str, schemes: set[str]) -> bool:
    if not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
