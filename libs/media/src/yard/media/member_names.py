"""Names of archive members: labels for people, never paths of this machine."""

import re

from yard.media.budget import LONGEST_NAME

# A name without any of these is a label as it is.
_PARTED = re.compile(r"[\\:]|//|/\.|^[/.]|/$")


class BadNameError(ValueError):
    """A name that cannot be a label; the message says why."""


def label_of(name: str) -> str:
    """A relative name with '/' between folders, without empty and '.' parts; BadNameError for all others.

    Backslashes are taken for the separators that they are in archives made on Windows.
    """
    if not name or len(name) > LONGEST_NAME:
        raise BadNameError(f"its name has {len(name)} characters, 1 to {LONGEST_NAME} are allowed")
    if not name.isprintable() and any(_is_control(character) for character in name):
        raise BadNameError("its name has control characters")
    if not _PARTED.search(name):
        return name
    parts = name.replace("\\", "/").split("/")
    if not parts[0] or parts[0].endswith(":"):
        raise BadNameError("its name is an absolute path")
    kept = [part for part in parts if part not in {"", "."}]
    if ".." in kept:
        raise BadNameError("its name leads out of the archive")
    if not kept:
        raise BadNameError("its name is a folder")
    return "/".join(kept)


def shown(name: str) -> str:
    """A name as good as it can be shown in a report."""
    return "".join("\N{REPLACEMENT CHARACTER}" if _is_control(c) else c for c in name[:200])


def _is_control(character: str) -> bool:
    """Control characters, and halves of surrogate pairs, which have no UTF-8."""
    code = ord(character)
    return code < 32 or 127 <= code < 160 or 0xD800 <= code < 0xE000
