"""Whether .gitattributes give a file to LFS, and the line that decides it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from yard.repo_sync.lfs.attribute_lines import LONGEST_LINE, Line, Value, lines_of, values_of
from yard.repo_sync.lfs.wildmatch import matches
from yard.runtime import errors

LARGEST_ATTRIBUTES: Final = 1 << 20

_TRACKING = b" filter=lfs diff=lfs merge=lfs -text"
_TAKING_BACK = b" !filter !diff !merge !text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Above:
    """The .gitattributes of a folder above, and the file's path from there, with slashes."""

    content: bytes
    path: str


def with_attributes(content: bytes, name: str, *, tracked: bool, above: Sequence[Above] = ()) -> bytes:
    """The .gitattributes of a file's own folder, so that the file `name` there is an LFS file, or is not.

    `content` is what it holds now (empty: it is not there), and comes back as it is if it says so already;
    empty comes back if nothing is left to say. `above` are those of the folders above, the root's first;
    without them the folder is taken for the root. FailedPrecondition (LFS_ATTRIBUTES) if they are no text, or
    more than 1 MiB.
    """
    faults = [_fault(one) for one in (content, *(other.content for other in above))]
    fault = next((one for one in faults if one), "")
    if fault and tracked:
        raise errors.FailedPrecondition(
            f"a .gitattributes of the repository {fault}", reason="LFS_ATTRIBUTES"
        )
    if fault:
        return content  # without LFS it need not be understood
    if _says(content, name, above, tracked=tracked):
        return content
    pattern = _pattern(name)
    ours, theirs = pattern + _TRACKING, pattern + _TAKING_BACK
    kept = _without(content, theirs if tracked else ours)
    if kept != content and _says(kept, name, above, tracked=tracked):
        return kept
    return _appended(kept, ours if tracked else theirs)


def _says(content: bytes, name: str, above: Sequence[Above], *, tracked: bool) -> bool:
    """Tracked is what LFS gets untouched: line ends of a pointer must not be changed on the way either."""
    values = _values([*above, Above(content=content, path=name)])
    if not tracked:
        return values.get(b"filter") != b"lfs"
    return values.get(b"filter") == b"lfs" and values.get(b"text") is False


def _values(files: Sequence[Above]) -> dict[bytes, Value]:
    matching: list[Line] = []
    defining: list[Line] = []
    for place, file in enumerate(files):
        path = file.path.encode("utf-8")
        for line in lines_of(file.content):
            if line.is_macro:
                # Git heeds macros of the root alone.
                defining += [line] if place == 0 else []
            elif matches(line.pattern, path):
                matching.append(line)
    return dict(values_of(defining, matching))


def _fault(content: bytes) -> str:
    if len(content) > LARGEST_ATTRIBUTES:
        return f"has more than {LARGEST_ATTRIBUTES} bytes"
    return "is not text" if b"\0" in content else ""


def _pattern(name: str) -> bytes:
    """Means this one file of the folder: anchored, with everything escaped that means more than itself.

    Spaces become what `git lfs track` makes of them; what cannot stand in a line stands in quotes.
    """
    globbed = b"/" + re.sub(rb"([*?\[\]\\])", rb"\\\1", name.encode("utf-8"))
    if not re.search(rb"[\x00-\x1f\x7f]", globbed):
        return globbed.replace(b" ", b"[[:space:]]")
    escaped = re.sub(rb'(["\\])', rb"\\\1", globbed)
    return b'"' + re.sub(rb"[\x00-\x1f\x7f]", lambda found: b"\\%03o" % found[0][0], escaped) + b'"'


def _without(content: bytes, line: bytes) -> bytes:
    lines: list[bytes] = re.findall(rb"[^\n]*\n|[^\n]+", content)
    return b"".join(one for one in lines if one.rstrip(b"\r\n") != line)


def _appended(content: bytes, line: bytes) -> bytes:
    if len(line) >= LONGEST_LINE:
        raise errors.FailedPrecondition(
            "the file's name is too long for a line of .gitattributes", reason="LFS_ATTRIBUTES"
        )
    end = b"\r\n" if content.endswith(b"\r\n") else b"\n"
    gap = b"" if not content or content.endswith(b"\n") else b"\n"
    return content + gap + line + end
