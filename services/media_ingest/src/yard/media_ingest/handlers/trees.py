"""A folder of a share as its manifest describes it: a million files of which none is listed or opened."""

from collections.abc import Sequence
from dataclasses import dataclass

from frameyard.media.v1 import media_pb2
from yard.media.plan import Source
from yard.media_ingest.domain import parameters
from yard.media_ingest.domain.files import GivenFile, Place
from yard.media_ingest.domain.manifests import MANIFEST_NAME, is_manifest, is_manifest_name
from yard.media_ingest.domain.results import FileResult
from yard.media_ingest.handlers.batches import Indexing
from yard.media_ingest.handlers.listing import READERS
from yard.media_ingest.handlers.manifests import described, selection_of
from yard.media_ingest.handlers.planning import Planned, frame_blocks, write_plan
from yard.runtime import errors
from yard.runtime.shares import Entry, Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The folder ("" or ending in "/") and what describes it."""

    share: Share
    folder: str
    manifest: GivenFile


async def tree_of(indexing: Indexing) -> Tree | None:
    """One whole folder of one share, with a manifest in it, beside it or uploaded; None for other media."""
    spec = indexing.media.spec
    named = [source.share for source in spec.sources if source.WhichOneof("origin") == "share"]
    others = [source for source in spec.sources if source.WhichOneof("origin") != "share"]
    if spec.copy_data or len(named) != 1 or named[0].exclude or len(others) > 1:
        return None
    try:
        return await _found(indexing, named[0], others)
    except errors.NotFound:
        return None  # who lists the files says what is not there


async def _found(
    indexing: Indexing, named: media_pb2.ShareSource, others: Sequence[media_pb2.MediaSource]
) -> Tree | None:
    share = indexing.ingest.shares.named(named.share)
    folders = [path for path in named.paths if not is_manifest_name(path)]
    beside = [path for path in named.paths if is_manifest_name(path)]
    if len(folders) != 1 or len(beside) + len(others) > 1:
        return None
    folder = await share.stat(folders[0])
    if not folder.is_directory:
        return None
    root = f"{folder.path}/" if folder.path else ""
    manifest = (
        await _uploaded(indexing, others[0])
        if others
        else await _in_share(share, beside[0] if beside else root + MANIFEST_NAME)
    )
    return None if manifest is None else Tree(share=share, folder=root, manifest=manifest)


async def plan_tree(indexing: Indexing, tree: Tree, wanted: parameters.Parameters) -> Planned | None:
    """The plan straight from the lines; None if the folder does not hold what the manifest names."""
    arguments = {"folder": tree.folder, **selection_of(indexing, wanted)}
    found = await described(indexing, "describe_tree", tree.manifest, arguments, {})
    if found is None:
        return None
    selected = parameters.select(wanted, found.result["count"])
    first, last = found.result["ends"]
    if not await _has(tree, [first["name"], last["name"]]):
        return None
    source = Source(
        key="",
        name=tree.share.name,
        size_bytes=0,
        sha256="",
        share=tree.share.name,
        is_tree=True,
    )
    plan, head = await write_plan(indexing, "images", [source], found.blocks, selected)
    indexing.report.files = [tree.manifest]
    indexing.report.notes = [FileResult(name=tree.folder or "/", frames=found.result["count"])]
    return Planned(
        plan=plan,
        selected=selected,
        source_frames=found.result["count"],
        width=first["width"],
        height=first["height"],
        blocks=frame_blocks(head),
        warnings=found.warnings,
    )


async def _uploaded(indexing: Indexing, source: media_pb2.MediaSource) -> GivenFile | None:
    if source.WhichOneof("origin") != "upload":
        return None
    files = await READERS["upload"](indexing, source)
    return files[0] if len(files) == 1 and is_manifest(files[0]) else None


async def _in_share(share: Share, path: str) -> GivenFile | None:
    try:
        entry: Entry = await share.stat(path)
    except errors.NotFound:
        return None
    if entry.is_directory:
        return None
    place = Place(key=entry.path, size_bytes=entry.size_bytes, share=share.name, stamp=entry.stamp)
    return GivenFile(
        name=entry.path, size_bytes=entry.size_bytes, place=place, sha256="", family="", format=""
    )


async def _has(tree: Tree, names: Sequence[str]) -> bool:
    try:
        entries = [await tree.share.stat(name) for name in names]
    except errors.NotFound:
        return False
    return not any(entry.is_directory for entry in entries)
