"""Names of branches, and what a remote says of its references."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LONGEST_BRANCH_BYTES: Final = 200
HEADS: Final = "refs/heads/"

_UNFIT = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refs:
    """`heads` are branches and their tips; `default` is the branch that HEAD names, if it has a tip."""

    default: str
    heads: Mapping[str, str]


def branch_fault(name: str) -> str | None:
    """Why it cannot be the name of a branch, by git's rules; None if it can."""
    if not name.isprintable() or _UNFIT.search(name) or len(name.encode()) > LONGEST_BRANCH_BYTES:
        return f"must be a branch name of at most {LONGEST_BRANCH_BYTES} bytes without spaces and ~^:?*[\\"
    parts = name.split("/")
    if name in ("@", "HEAD") or name.startswith("-") or name.endswith("."):
        return "must be the name of a branch; it must not be @ or HEAD, begin with a dash or end with a dot"
    if any(not part or part.startswith(".") or part.endswith(".lock") for part in parts):
        return "must be the name of a branch; no part may be empty, begin with a dot or end with .lock"
    return None


def parse_refs(output: bytes) -> Refs:
    """From `ls-remote --symref`; what is not of the form, or no branch that could be named, is left out."""
    heads: dict[str, str] = {}
    default = head = ""
    for line in output.decode(errors="replace").splitlines():
        value, _, name = line.partition("\t")
        if name == "HEAD" and value.startswith(f"ref: {HEADS}"):
            default = value.removeprefix(f"ref: {HEADS}")
        elif name == "HEAD" and _OID.fullmatch(value):
            head = value
        elif name.startswith(HEADS) and _OID.fullmatch(value):
            heads[name.removeprefix(HEADS)] = value
    if head and default:
        heads.setdefault(default, head)
    fit = {name: oid for name, oid in heads.items() if branch_fault(name) is None}
    return Refs(default=default if default in fit else "", heads=fit)
