"""A file becomes a commit on top of a branch: never by force, and never twice."""

import asyncio
import random
import re
from dataclasses import dataclass
from datetime import UTC
from enum import Enum
from pathlib import Path
from typing import Final

from yard.repo_sync.git.refs import Refs
from yard.repo_sync.git.refusals import refusal, said
from yard.repo_sync.git.repository import BranchGoneError, Repository, opened
from yard.repo_sync.git.running import Finished
from yard.repo_sync.git.way import Way
from yard.repo_sync.publishing.large import ATTRIBUTES, attributes, sent
from yard.repo_sync.publishing.placing import descend, file_at, place
from yard.repo_sync.publishing.publication import Author, Progress, Publication, Published
from yard.runtime.errors import Conflict, FailedPrecondition, YardError

MOST_ATTEMPTS: Final = 5
_LONGEST_PAUSE_S: Final = 0.5

_MOVED = re.compile(
    r"non-fast-forward|fetch first|stale info|needs force|already exists|cannot lock ref|failed to update ref"
    r"|incorrect old value|reference already exists",
    re.IGNORECASE,
)
_PARENT = re.compile(rb"^parent ([0-9a-f]+)$", re.MULTILINE)
_NAME_CRUD = re.compile(r"[\x00-\x1f\x7f<>]+")


class Outcome(Enum):
    """Of one offer of a commit."""

    TAKEN = "taken"
    MOVED = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What the new commit stands on; no tip: the branch is its beginning."""

    branch: str
    tip: str
    root: str
    is_new_branch: bool
    default: str
    default_tip: str


async def publish(way: Way, publication: Publication, progress: Progress) -> Published:
    """Puts the file on the branch, or finds that it is there; at most five times if others push meanwhile."""
    async with opened(way, publication.url, publication.access, publication.branch) as (repository, refs):
        await progress(0.1, "connected")
        unborn = await _begin(repository, refs)
        content = await _content(way, repository, publication, refs, progress)
        blob = await repository.store("blob", content)
        for attempt in range(MOST_ATTEMPTS):
            if attempt:
                await asyncio.sleep(random.uniform(0, _LONGEST_PAUSE_S) * attempt)  # noqa: S311 - no secret
                refs = await repository.refs(publication.branch)
            try:
                base = await _base(repository, refs, publication.branch, unborn)
            except BranchGoneError:
                continue
            await progress(0.6 + 0.05 * attempt, "fetched")
            published = await _attempt(repository, base, publication, blob)
            if published is not None:
                await progress(1.0, "published")
                return published
    raise Conflict(
        f"the branch moved {MOST_ATTEMPTS} times while we published to it; try again", reason="GIT_MOVED"
    )


async def _content(
    way: Way, repository: Repository, publication: Publication, refs: Refs, progress: Progress
) -> Path | bytes:
    """What lies at the path in git."""
    if not publication.use_lfs:
        return publication.file
    return await sent(way, repository, publication.file, publication.branch or refs.default, progress)


async def _begin(repository: Repository, refs: Refs) -> str:
    """Makes the repository, in the remote's format; the name of its default branch, if that is unborn."""
    if refs.heads:
        length = len(next(iter(refs.heads.values())))
        unborn, object_format = "", "sha1" if length == 40 else "sha256"
    else:
        unborn, object_format = await repository.unborn()
    await repository.begin(object_format)
    return unborn


async def _base(repository: Repository, refs: Refs, wanted: str, unborn: str) -> Base:
    branch = wanted or refs.default or unborn or "main"
    names = [name for name in dict.fromkeys((branch, refs.default)) if name in refs.heads]
    tips = await repository.fetch(names) if names else {}
    default_tip = tips.get(refs.default, "")
    tip = tips.get(branch, default_tip)
    return Base(
        branch=branch,
        tip=tip,
        root=await repository.tree_of(tip) if tip else "",
        is_new_branch=branch not in tips,
        default=refs.default,
        default_tip=default_tip,
    )


async def _attempt(
    repository: Repository, base: Base, publication: Publication, blob: str
) -> Published | None:
    """None if the branch has moved."""
    path = publication.path
    levels = await descend(repository, base.root, path, len(blob) // 2)
    files = {path.rpartition("/")[2]: blob}
    told = await attributes(repository, levels, path, tracked=publication.use_lfs)
    if told is not None:
        files[ATTRIBUTES] = await repository.store("blob", told) if told else ""
    root = await place(repository, levels, files)
    is_unchanged = root == base.root
    commit = base.tip
    if not is_unchanged:
        content = commit_bytes(root, base.tip, publication.author, publication.message)
        commit = await repository.store("commit", content)
    if base.is_new_branch or not is_unchanged:
        finished = await repository.push(commit, base.branch)
        if outcome(finished, repository) is Outcome.MOVED:
            return None
    return Published(
        commit=commit,
        branch=base.branch,
        was_unchanged=is_unchanged and not await _is_ours(repository, base, publication),
        is_merged=await _is_merged(repository, base, path, blob),
    )


async def _is_ours(repository: Repository, base: Base, publication: Publication) -> bool:
    """Whether an attempt before this one has put it there, whose end nobody has heard of."""
    if not base.tip:
        return False
    content = await repository.commit(base.tip)
    parents = _PARENT.findall(content.partition(b"\n\n")[0])
    parent = parents[0].decode() if len(parents) == 1 else ""
    return content == commit_bytes(base.root, parent, publication.author, publication.message)


async def _is_merged(repository: Repository, base: Base, path: str, blob: str) -> bool:
    if base.branch == base.default or not base.default_tip:
        return False
    return await file_at(repository, await repository.tree_of(base.default_tip), path) == blob


def commit_bytes(root: str, parent: str, author: Author, message: str) -> bytes:
    """The same bytes for the same publication on the same parent, in every attempt."""
    name = " ".join(_NAME_CRUD.sub(" ", author.name).split()).strip(".,:;'\" ") or "Frameyard"
    email = "".join(_NAME_CRUD.sub("", author.email).split())
    stamp = f"{name} <{email}> {int(author.when.astimezone(UTC).timestamp())} +0000"
    lines = [
        f"tree {root}",
        f"author {stamp}",
        f"committer {stamp}",
        "",
        message.replace("\0", "").strip(),
        "",
    ]
    if parent:
        lines.insert(1, f"parent {parent}")
    return "\n".join(lines).encode(errors="replace")


def outcome(finished: Finished, repository: Repository) -> Outcome:
    """What came of a push; an error if no other attempt can help."""
    verdict = _verdict(finished.output)
    if verdict.startswith("!"):
        if _MOVED.search(verdict):
            return Outcome.MOVED
        raise _rejected(finished, repository, verdict)
    if finished.code == 0:
        return Outcome.TAKEN
    raise refusal(repository.complaint(finished))


def _verdict(output: bytes) -> str:
    """The line of the one reference: `flag<TAB>from:to<TAB>summary`."""
    lines = output.decode(errors="replace").splitlines()
    return next((line for line in lines if line.count("\t") == 2), "")


def _rejected(finished: Finished, repository: Repository, verdict: str) -> YardError:
    complaint = repository.complaint(finished)
    error = refusal(complaint)
    if error.reason == "GIT_AUTHENTICATION":
        return error
    summary = verdict.rpartition("\t")[2]
    words = f"{complaint.where} rejects the commit: {summary} {said(complaint)}"
    return FailedPrecondition(" ".join(words.split())[:700], reason="GIT_REJECTED")
