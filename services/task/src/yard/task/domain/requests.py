"""Rules of the fields that projects and tasks have in common."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from frameyard.task.v1 import task_pb2
from yard.runtime.errors import InvalidArgument, Violation

LONGEST_NAME: Final = 256
LONGEST_KEY: Final = 2 * LONGEST_NAME
LONGEST_URL: Final = 2_000
LONGEST_SUBSET: Final = 64
LONGEST_FORMAT: Final = 100
# `git@host:path`, as people copy it, beside URLs with a scheme.
_SCP_FORM = re.compile(r"[A-Za-z0-9._-]+@[A-Za-z0-9._-]+:[^\s:]+")
_LOCATION = re.compile(r"(?P<url>\S+)(?:\s+\[(?P<path>[^\[\]]*)\])?")


def name_key(text: str) -> str:
    """Equal for names that differ in case or in the composition of characters only.

    Some characters are composed of many; a key is cut to what a row of an index has room for.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())[:LONGEST_KEY]


def refuse(violations: Collection[Violation]) -> None:
    """InvalidArgument with all of them, if there are any."""
    if violations:
        raise InvalidArgument(violations=list(violations))


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
    location = repository.location
    if not location or len(location) > LONGEST_URL:
        yield Violation(
            "repository.location", f"must have 1 to {LONGEST_URL} characters, got {len(location)}"
        )
    elif wrong := _location_fault(location):
        yield Violation("repository.location", wrong)
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


def _location_fault(location: str) -> str | None:
    match = _LOCATION.fullmatch(location.strip())
    if match is None or not location.isprintable():
        return "must be of the form `URL [PATH]`"
    url, path = match["url"], match["path"]
    if not _SCP_FORM.fullmatch(url) and not _is_url(url, {"https", "ssh"}):
        return "must begin with an https or ssh URL"
    if _has_secret(url):
        return "must not hold credentials"
    return None if path is None else _path_fault(path)


def _path_fault(path: str) -> str | None:
    if not path.endswith((".zip", ".xml")):
        return "must have a path that ends in .zip or .xml"
    depth = 0
    for part in path.replace("\\", "/").split("/"):
        depth += {"": 0, ".": 0, "..": -1}.get(part, 1)
        if depth < 0:
            return "must have a path that stays in the repository"
    return None


def _is_url(text: str, schemes: set[str]) -> bool:
    if not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _has_secret(url: str) -> bool:
    """Whether it has a password, or a user name in https, which is a token there."""
    if _SCP_FORM.fullmatch(url):
        return False
    parts = urlsplit(url)
    return parts.password is not None or (parts.scheme == "https" and parts.username is not None)
