"""Which files of a share a source stands for: paths, and patterns of what to leave out."""

import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from frameyard.media.v1.media_pb2 import ShareSource
from yard.runtime.errors import Violation

MOST_PATHS = 10_000
MOST_PATTERNS = 100
LONGEST_PATH = 4_096
LONGEST_PATTERN = 1_024
_NOTHING = r"(?!)"


class Excluded:
    """Shell patterns (`*`, `?`, `[abc]`), with regard to case.

    One without a slash is compared with every name of a path, one with slashes with the whole path below the
    root of the share and with its directories; there `*` stands for slashes too. A directory that matches
    goes with all that is below it.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        given = [pattern.strip("/") for pattern in patterns]
        self._names = _any(pattern for pattern in given if "/" not in pattern)
        self._paths = _any(pattern for pattern in given if "/" in pattern)
        self._is_directory_out = lru_cache(maxsize=1_024)(self._directory_is_out)

    def __call__(self, path: str) -> bool:
        """Whether the file at this path is left out."""
        directory, _, name = path.rpartition("/")
        if self._names.fullmatch(name) or self._paths.fullmatch(path):
            return True
        return bool(directory) and self._is_directory_out(directory)

    def _directory_is_out(self, path: str) -> bool:
        return any(
            self._names.fullmatch(below.rpartition("/")[2]) or self._paths.fullmatch(below)
            for below in (path, *parents(path))
        )


def _any(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(fnmatch.translate, patterns)) or _NOTHING)


def parents(path: str) -> Iterator[str]:
    """The directories above a path but for the root."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def distinct(paths: Sequence[str]) -> list[str]:
    """In the order given, without those that another one of them brings along."""
    given = dict.fromkeys(path.rstrip("/") for path in paths)
    if "" in given:
        return [""]
    return [path for path in given if not any(above in given for above in parents(path))]


def faults_of_share(field: str, source: ShareSource) -> list[Violation]:
    """What is wrong with a source whatever the share holds."""
    found = []
    if not source.share:
        found.append(Violation(f"{field}.share", "must name a share"))
    if not 1 <= len(source.paths) <= MOST_PATHS:
        found.append(Violation(f"{field}.paths", f"must be 1 to {MOST_PATHS:,} paths"))
    if len(source.exclude) > MOST_PATTERNS:
        found.append(Violation(f"{field}.exclude", f"must be at most {MOST_PATTERNS} patterns"))
    found += [
        Violation(f"{field}.paths[{number}]", f"must have at most {LONGEST_PATH:,} characters")
        for number, path in enumerate(source.paths)
        if len(path) > LONGEST_PATH
    ]
    found += [
        Violation(f"{field}.exclude[{number}]", f"must have 1 to {LONGEST_PATTERN:,} characters")
        for number, pattern in enumerate(source.exclude)
        if not 1 <= len(pattern.strip("/")) <= LONGEST_PATTERN
    ]
    return found
