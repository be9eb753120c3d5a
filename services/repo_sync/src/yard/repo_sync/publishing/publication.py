"""What is to be published, and what came of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from yard.repo_sync.git.access import Access

Progress = Callable[[float, str], Awaitable[None]]
"""Share of the whole, 0 to 1, and what is being done, in words for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Author and committer; the time makes the commit the same in every attempt."""

    name: str
    email: str
    when: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A file for a path of a branch; an empty branch is the remote's default.

    `url` is in the one form of `GitRemote.text`; `path` is normalised.
    """

    url: str
    access: Access
    branch: str
    path: str
    file: Path
    use_lfs: bool
    author: Author
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Where the bytes are now; `was_unchanged` if they were there before this publication was first tried.

    `is_merged` says that the default branch has them too, where another was published to.
    """

    commit: str
    branch: str
    was_unchanged: bool
    is_merged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a remote looks like; empty names for what is not there.

    `tip` is the commit of the branch that was asked for, or of the default branch; `blob` and `default_blob`
    are the object ids of what lies at the path, there and on the default branch.
    """

    default_branch: str
    has_branch: bool
    tip: str
    blob: str
    default_blob: str
