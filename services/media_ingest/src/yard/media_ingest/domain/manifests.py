"""Which of the given files describes the others."""

from collections.abc import Sequence

from yard.media_ingest.domain.files import GivenFile
from yard.runtime.errors import InvalidArgument, Violation

MANIFEST_SUFFIX = ".jsonl"


def is_manifest(file: GivenFile) -> bool:
    """Whether it is set aside as a manifest: by its name, as its content has no magic number."""
    return not (file.family or file.trouble) and file.name.lower().endswith(MANIFEST_SUFFIX)


def set_aside(files: Sequence[GivenFile]) -> tuple[list[GivenFile], GivenFile | None]:
    """The other files, and the manifest if there is one; InvalidArgument names a second one."""
    manifests = [file for file in files if is_manifest(file)]
    if len(manifests) > 1:
        raise refusal(manifests[1], f"is a second manifest besides {manifests[0].name}: give one")
    others = [file for file in files if not is_manifest(file)]
    if manifests and not others:
        raise refusal(manifests[0], "describes files that are not given with it")
    return others, manifests[0] if manifests else None


def folder_of(name: str) -> str:
    """The folder of a name with its slash, "" at the top."""
    folder, slash, _ = name.rpartition("/")
    return folder + slash


def refusal(manifest: GivenFile, description: str) -> InvalidArgument:
    """The manifest does not fit, and why."""
    return InvalidArgument(
        f"{manifest.name} {description}",
        [Violation(manifest.name, description)],
        reason="MEDIA_UNUSABLE",
        metadata={"file": manifest.name},
    )
