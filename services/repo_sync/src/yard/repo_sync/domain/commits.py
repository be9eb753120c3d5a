"""What a commit says."""

from dataclasses import dataclass
from typing import Final

from yard.repo_sync.domain.rows import Counts

LONGEST_NAME: Final = 60
LONGEST_LINE: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """The task of a commit; `link` and `issue_tracker` may be empty, `counts` unknown."""

    name: str
    link: str
    issue_tracker: str
    format: str
    revision: int
    counts: Counts | None


def message(described: Described) -> str:
    """A subject, and lines of `Name: value` as git's trailers are; no value can begin a line of its own."""
    name = plain(described.name, LONGEST_NAME)
    lines = {
        "Task": described.link,
        "Issue-tracker": described.issue_tracker,
        **_count_lines(described.counts),
        "Format": described.format,
        "Revision": str(described.revision),
    }
    trailers = [f"{key}: {plain(value)}" for key, value in lines.items() if value]
    return "\n".join([f"Update annotations of {name}", "", *trailers]) + "\n"


def _count_lines(counts: Counts | None) -> dict[str, str]:
    if counts is None:
        return {}
    return {
        "Objects-added": str(counts.created),
        "Objects-changed": str(counts.updated),
        "Objects-removed": str(counts.deleted),
    }


def plain(text: str, longest: int = LONGEST_LINE) -> str:
    """On one line, without characters that are not shown; cut with an ellipsis."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    words = " ".join(shown.split())
    return words if len(words) <= longest else f"{words[: longest - 1].rstrip()}…"


def email(username: str, domain: str) -> str:
    """An address that reaches nobody."""
    local = "".join(character for character in username if character.isalnum() or character in ".+-_")
    return f"{local or 'somebody'}@{domain}"


def author_name(username: str, name: str) -> str:
    """Somebody's name, of characters that a commit can hold."""
    shown = plain(name or username, LONGEST_NAME)
    return "".join(character for character in shown if character not in "<>").strip(" .,:;\"'") or "somebody"
