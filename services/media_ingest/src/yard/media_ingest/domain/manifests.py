"""Which of the given files describes the others."""

from collections.abc import Sequence

from frameyard.media.v1.media_pb2 import ArchiveMembers
from yard.media_ingest.domain.arranged import Arranged
from yard.media_ingest.domain.files import Choice, GivenFile
from yard.runtime.errors import InvalidArgument, Violation, invalid

MANIFEST_NAME = "manifest.jsonl"


def is_manifest(file: GivenFile) -> bool:
    """Whether it is set aside as a manifest."""
    return not (file.family or file.trouble) and is_manifest_name(file.name)


def is_manifest_name(path: str) -> bool:
    """By name, as the content has no magic number; other .jsonl files are often something else."""
    return path.rpartition("/")[2].lower() == MANIFEST_NAME


def set_aside(files: Sequence[GivenFile]) -> tuple[Sequence[GivenFile], GivenFile | None]:
    """The other files, and the manifest if there is one; InvalidArgument names a second one."""
    manifests = [file for file in files if is_manifest(file)]
    if len(manifests) > 1:
        raise refusal(manifests[1], f"is a second manifest besides {manifests[0].name}: give one")
    if not manifests:
        return files, None
    others = Arranged(files, (position for position, file in enumerate(files) if not is_manifest(file)))
    if not others:
        raise refusal(manifests[0], "describes files that are not given with it")
    return others, manifests[0]


def take_list(
    files: Sequence[GivenFile], wanted: ArchiveMembers | None
) -> tuple[Sequence[GivenFile], GivenFile | None]:
    """The other files, and the list of members if one is wanted; InvalidArgument if it is not among them."""
    if wanted is None:
        return files, None
    lists = [position for position, file in enumerate(files) if file.name == wanted.list]
    if len(lists) != 1:
        found = "is none of" if not lists else "is the name of several of"
        raise invalid("data.members.list", f"{wanted.list[:200]!r} {found} the given files")
    others = Arranged(files, (position for position in range(len(files)) if position != lists[0]))
    return others, files[lists[0]]


def check_zip(choice: Choice) -> None:
    """InvalidArgument unless members can be chosen: of one zip without a manifest."""
    if choice.material != "archive" or choice.files[0].format != "zip":
        raise invalid("data.members", f"can be chosen of a zip, which {choice.files[0].name[:200]} is not")
    if choice.manifest is not None:
        raise invalid("data.members", f"cannot be chosen besides {choice.manifest.name[:200]}")


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
