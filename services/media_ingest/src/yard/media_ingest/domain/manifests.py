"""Which of the given files describes the others."""

from collections.abc import Sequence

from yard.media_ingest.domain.files import GivenFile
from yard.runtime.errors import InvalidArgument, Violation

MANIFEST_SUFFIX = ".jsonl"


def is_manifest(file: GivenFile) -> bool:
    """Whether it is set aside as a manifest: by its name, as its content has no magic number."""
    return not file.family and file.name.lower().endswith(MANIFEST_SUFFIX)


def set_aside(files: Sequence[GivenFile]) -> tuple[list[GivenFile], GivenFile | None]:
    """The other files, and the manifest if there is one; InvalidArgument names a second one."""
    manifests = [file for file in files if is_manifest(file)]
    if len(manifests) > 1:
        description = f"is a second manifest besides {manifests[0].name}: give one"
        raise InvalidArgument(
            violations=[Violation(manifests[1].name, description)],
            reason="MEDIA_UNUSABLE",
            metadata={"file": manifests[1].name},
        )
    others = [file for file in files if not is_manifest(file)]
    return others, manifests[0] if manifests else None


def folder_of(name: str) -> str:
    """The folder of a name with its slash, "" at the top."""
    folder, slash, _ = name.rpartition("/")
    return folder + slash
