"""A bare repository for one call: nothing is checked out, and only the way to one file is looked at."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from yard.repo_sync.git.access import Access
from yard.repo_sync.git.configuration import REMOTE
from yard.repo_sync.git.connection import Connection, connect, host_keys_in, local_environment
from yard.repo_sync.git.refs import HEADS, Refs, branch_fault, parse_refs
from yard.repo_sync.git.refusals import Complaint, clean, no_room, refusal, too_large
from yard.repo_sync.git.running import Command, Finished, OutputTooLargeError, run
from yard.repo_sync.git.way import Way
from yard.runtime.egress import GitRemote
from yard.runtime.errors import FailedPrecondition, Internal, Unavailable, YardError, invalid

_TIPS: Final = "refs/tips/"
_FREE_BYTES: Final = 1024 * 1024 * 1024 * 1024  # what we write ourselves is bounded by who asks for it
_LARGE = ("died of signal 25", "file too large", "out of memory", "signal 25")
_ELSEWHERE = frozenset({"GIT_REDIRECT", "GIT_NOT_FOUND"})


class BranchGoneError(Exception):
    """A branch that the remote had just named is not there any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A connection and what was fetched through it; at most `limit_bytes` in one go."""

    connection: Connection
    limit_bytes: int

    @property
    def path(self) -> Path:
        """Where git keeps it."""
        return self.connection.folder / "repository"

    async def refs(self, branch: str) -> Refs:
        """The default branch and the one that is asked for, as far as they are there."""
        wanted = [f"{HEADS}{branch}"] if branch else []
        found = parse_refs(await self._remote("ls-remote", "--symref", "--", REMOTE, "HEAD", *wanted))
        if found.default:
            return found
        # HEAD names a branch that is not there, or no branch at all: the remote may have others nevertheless.
        every = parse_refs(await self._remote("ls-remote", "--", REMOTE, f"{HEADS}*"))
        if len(every.heads) == 1:
            return replace(every, default=next(iter(every.heads)))
        if every.heads and branch not in every.heads:
            words = "the repository has no default branch; name the branch to publish to"
            raise FailedPrecondition(words, reason="GIT_NO_DEFAULT")
        return every

    async def begin(self, object_format: str) -> None:
        """Makes it, empty."""
        await self._local(
            "init", "--quiet", "--bare", f"--object-format={object_format}", "--", str(self.path)
        )

    async def unborn(self) -> tuple[str, str]:
        """Of an empty remote: the branch that its HEAD names, and the format of its objects."""
        folder = self.connection.folder / "unborn"
        url = self.connection.remote.text
        await self._remote("clone", "--quiet", "--bare", "--no-tags", "--", url, str(folder))
        head = (folder / "HEAD").read_text().strip().removeprefix(f"ref: {HEADS}")
        object_format = "sha256" if "sha256" in (folder / "config").read_text() else "sha1"
        await asyncio.to_thread(shutil.rmtree, folder)
        return ("main" if branch_fault(head) else head), object_format

    async def fetch(self, branches: Sequence[str]) -> Mapping[str, str]:
        """The tips of these branches and their folders, without history; without files, if the remote can."""
        wanted = [f"+{HEADS}{branch}:{_TIPS}{number}" for number, branch in enumerate(branches)]
        options = ("--quiet", "--depth=1", "--filter=blob:none", "--no-tags", "--no-write-fetch-head")
        await self._remote("fetch", *options, "--", REMOTE, *wanted)
        listed = await self._local("for-each-ref", "--format=%(refname) %(objectname)", _TIPS)
        oids = dict(line.split(" ") for line in listed.decode().splitlines())
        return {branch: oids[f"{_TIPS}{number}"] for number, branch in enumerate(branches)}

    async def tree_of(self, commit: str) -> str:
        """The root folder of a commit."""
        found = await self._local(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{tree}}"
        )
        return found.decode().strip()

    async def tree(self, oid: str) -> bytes:
        """A folder as git keeps it."""
        return await self._local("cat-file", "tree", oid)

    async def commit(self, oid: str) -> bytes:
        """A commit as git keeps it."""
        return await self._local("cat-file", "commit", oid)

    async def blob(self, oid: str) -> bytes:
        """A file's content, fetched if it is not here."""
        return await self._remote("cat-file", "blob", oid)

    async def store(self, kind: str, content: bytes | Path) -> str:
        """Keeps an object and returns its id."""
        literally = ("--literally",) if kind == "tree" else ()  # strange folders of others stay as they are
        given = content if isinstance(content, Path) or content else Path("/dev/null")
        words = ("hash-object", "-w", "-t", kind, *literally, "--no-filters", "--stdin")
        return (await self._local(*words, stdin=given)).decode().strip()

    async def push(self, commit: str, branch: str) -> Finished:
        """Offers the commit as the new tip; says how it ended, whatever that was."""
        options = ("--porcelain", "--no-thin", "--no-verify", "--no-progress")
        return await self._run(
            "push", *options, "--", REMOTE, f"{commit}:{HEADS}{branch}", reach=True, file_bytes=_FREE_BYTES
        )

    def complaint(self, finished: Finished) -> Complaint:
        """What the remote said."""
        return Complaint(self.connection.remote, self.connection.access, finished.complaint)

    async def _remote(self, *words: str) -> bytes:
        try:
            finished = await self._run(*words, reach=True, file_bytes=self.limit_bytes)
        except OutputTooLargeError:
            raise too_large(self.limit_bytes) from None
        if finished.code == 0:
            return finished.output
        text = finished.complaint.lower()
        if any(sign in text for sign in _LARGE):
            raise too_large(self.limit_bytes)
        if "couldn't find remote ref" in text:
            raise BranchGoneError
        raise refusal(self.complaint(finished))

    async def _local(self, *words: str, stdin: bytes | Path | None = None) -> bytes:
        try:
            finished = await self._run(*words, reach=False, file_bytes=_FREE_BYTES, stdin=stdin)
        except OutputTooLargeError:
            raise too_large(self.limit_bytes) from None
        if finished.code and "no space left on device" in finished.complaint.lower():
            raise no_room()
        if finished.code:
            words_said = clean(finished.complaint, self.connection.access)
            raise FailedPrecondition(f"the repository cannot be read: {words_said}", reason="GIT_DAMAGED")
        return finished.output

    async def _run(
        self, *words: str, reach: bool, file_bytes: int, stdin: bytes | Path | None = None
    ) -> Finished:
        folder = self.connection.folder
        environment = dict(self.connection.environment if reach else local_environment(folder))
        if words[0] not in ("init", "clone"):
            environment["GIT_DIR"] = str(self.path)
        if reach:
            environment.pop("GIT_NO_LAZY_FETCH")
        return await run(
            Command(
                words=("git", *words),
                environment=environment,
                folder=folder,
                file_bytes=file_bytes,
                port=self.connection.remote.port if reach else 0,
                stdin=stdin,
            )
        )


@asynccontextmanager
async def opened(way: Way, url: str, access: Access, branch: str) -> AsyncIterator[tuple[Repository, Refs]]:
    """The repository at that address and its branches, for as long as the way has patience."""
    remote = GitRemote.parse(url)
    if branch and (fault := branch_fault(branch)):
        raise invalid("branch", fault)
    folder = Path(await asyncio.to_thread(_made, way.folder))
    try:
        async with asyncio.timeout(way.timeout_s):
            try:
                repository, refs = await _found(way, remote, access, folder, branch)
            except YardError:
                await _note_keys(way, access, folder)
                raise
            await _note_keys(way, access, folder)
            yield repository, refs
    except TimeoutError:
        words = f"{remote.host} has not done it within {way.timeout_s:g} seconds"
        raise Unavailable(words, reason="GIT_SLOW") from None
    except FileNotFoundError as fault:
        raise Internal(f"{fault.filename} is not there") from fault
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _note_keys(way: Way, access: Access, folder: Path) -> None:
    shown = () if access.known_hosts else host_keys_in(folder)
    if shown and way.note_keys is not None:
        await way.note_keys(shown)


def _made(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    return mkdtemp(prefix="git-", dir=folder)


async def _found(
    way: Way, remote: GitRemote, access: Access, folder: Path, branch: str
) -> tuple[Repository, Refs]:
    """Some hosts have repositories under their name with `.git` only, and redirect from the one without."""
    repository = Repository(
        connection=await connect(way, remote, access, folder), limit_bytes=way.fetch_limit_bytes
    )
    try:
        return repository, await repository.refs(branch)
    except YardError as fault:
        if remote.is_ssh or remote.path.endswith(".git") or fault.reason not in _ELSEWHERE:
            raise
        longer = replace(remote, path=f"{remote.path}.git")
        other = replace(repository, connection=await connect(way, longer, access, folder))
        try:
            return other, await other.refs(branch)
        except YardError:
            raise fault from None
