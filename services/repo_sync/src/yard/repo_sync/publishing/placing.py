"""One file is placed into the folders of a commit; what else is in them stays as it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from yard.repo_sync.git.repository import Repository
from yard.repo_sync.git.trees import FILE, FOLDER, DamagedTreeError, Entry, find, with_entry, without
from yard.runtime.errors import FailedPrecondition


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A folder on the way, by the name that it has in the one above; the root has none."""

    name: bytes
    tree: bytes
    oid_bytes: int

    def entry(self, name: bytes) -> Entry | None:
        """The entry of that name."""
        try:
            return find(self.tree, name, self.oid_bytes)
        except DamagedTreeError as fault:
            raise FailedPrecondition("the repository has a damaged folder", reason="GIT_DAMAGED") from fault

    def having(self, name: bytes, oid: str) -> "Level":
        """With that file; one that is there keeps its mode, anything else of that name is not replaced."""
        present = self.entry(name)
        if present is not None and not present.is_file:
            raise _in_the_way(name, "a folder, a link or a submodule, where the file is to be")
        if not oid:
            return replace(self, tree=without(self.tree, name, self.oid_bytes))
        mode = present.mode if present else FILE
        return replace(self, tree=with_entry(self.tree, Entry(mode=mode, name=name, oid=bytes.fromhex(oid))))

    def above(self, name: bytes, oid: str) -> "Level":
        """With that folder in it."""
        present = self.entry(name)
        mode = present.mode if present else FOLDER
        return replace(self, tree=with_entry(self.tree, Entry(mode=mode, name=name, oid=bytes.fromhex(oid))))


async def descend(repository: Repository, root: str, path: str, oid_bytes: int) -> list[Level]:
    """The folders from the root to the file's own; what is not there is empty."""
    levels = [Level(name=b"", tree=await repository.tree(root) if root else b"", oid_bytes=oid_bytes)]
    for name in path.encode().split(b"/")[:-1]:
        entry = levels[-1].entry(name)
        if entry is not None and not entry.is_folder:
            raise _in_the_way(name, "a file, a link or a submodule, where a folder is needed")
        tree = await repository.tree(entry.oid.hex()) if entry else b""
        levels.append(Level(name=name, tree=tree, oid_bytes=oid_bytes))
    return levels


async def file_at(repository: Repository, root: str, path: str) -> str:
    """The object at the path, if it is a regular file; empty otherwise."""
    try:
        levels = await descend(repository, root, path, len(root) // 2)
    except FailedPrecondition as fault:
        if fault.reason != "GIT_PATH":
            raise
        return ""
    entry = levels[-1].entry(path.encode().rpartition(b"/")[2])
    return entry.oid.hex() if entry and entry.is_file else ""


async def place(repository: Repository, levels: Sequence[Level], files: Mapping[str, str]) -> str:
    """The root folder, with files (names, objects) put into the last folder; no object: taken away."""
    *upper, below = levels
    for name, oid in files.items():
        below = below.having(name.encode(), oid)
    for level in reversed(upper):
        below = level.above(below.name, await repository.store("tree", below.tree))
    return await repository.store("tree", below.tree)


def _in_the_way(name: bytes, what: str) -> FailedPrecondition:
    shown = name.decode(errors="replace")
    words = f"{shown!r} in the repository is {what}; choose another path"
    return FailedPrecondition(words, reason="GIT_PATH")
