"""What a remote has, without changing it."""

from yard.repo_sync.git.access import Access
from yard.repo_sync.git.refs import Refs
from yard.repo_sync.git.repository import BranchGoneError, Repository, opened
from yard.repo_sync.git.way import Way
from yard.repo_sync.publishing.placing import file_at
from yard.repo_sync.publishing.publication import Look
from yard.runtime.errors import Conflict


async def look(way: Way, url: str, access: Access, branch: str, path: str) -> Look:
    """What lies at the path, on the branch (empty: the default) and on the default branch."""
    async with opened(way, url, access, branch) as (repository, refs):
        try:
            return await _look(repository, refs, branch or refs.default, path)
        except BranchGoneError:
            raise Conflict(
                "the branch was deleted while we looked at it; try again", reason="GIT_MOVED"
            ) from None


async def _look(repository: Repository, refs: Refs, branch: str, path: str) -> Look:
    names = [name for name in dict.fromkeys((branch, refs.default)) if name in refs.heads]
    tips = dict[str, str]()
    if names:
        await repository.begin("sha1" if len(refs.heads[names[0]]) == 40 else "sha256")
        tips.update(await repository.fetch(names))
    files = {
        name: await file_at(repository, await repository.tree_of(tip), path) for name, tip in tips.items()
    }
    return Look(
        default_branch=refs.default,
        has_branch=branch in tips,
        tip=tips.get(branch, tips.get(refs.default, "")),
        blob=files.get(branch, ""),
        default_blob=files.get(refs.default, ""),
    )
