"""Labels of a project that a data set is imported into: those that are there, or those that it brings."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from frameyard.task.v1 import label_pb2, project_service_pb2
from frameyard.task.v1.project_pb2 import Project
from yard.export.formats.voc_labelmap import plain
from yard.export.handlers.making import Making
from yard.export.sources.backed_up import project_of
from yard.export.sources.making import Maker
from yard.runtime import errors

_MOST_TOLD: Final = 20


async def settle_labels(making: Making, project: Project, given: Sequence[Mapping[str, Any]]) -> None:
    """Adds the labels to a project without any; InvalidArgument names what a project with labels lacks."""
    known = {label.name for label in project.labels}
    if known and not await making.has_begun("labels"):
        _check_known(project, known, [label["name"] for label in given])
        return
    if not given:
        raise errors.FailedPrecondition(
            f"project {project.id} has no labels, and the data set names none", reason="NO_LABELS"
        )
    wanted = [_message(label) for label in given if label["name"] not in known]
    if wanted:
        request = project_service_pb2.UpdateProjectLabelsRequest(project_id=project.id, labels=wanted)
        await making.labels(request)


async def remove_labels(maker: Maker, request: project_service_pb2.UpdateProjectLabelsRequest) -> None:
    """Takes away those that were added, unless something uses them."""
    names = {label.name for label in request.labels}
    project = await project_of(maker.channels, request.project_id)
    ids = [label.id for label in project.labels if label.name in names]
    if ids:
        removal = project_service_pb2.UpdateProjectLabelsRequest(
            project_id=request.project_id, delete_label_ids=ids
        )
        await maker.call(maker.channels.projects.UpdateProjectLabels, removal)


def _check_known(project: Project, known: set[str], names: Sequence[str]) -> None:
    written = known | {plain(name) for name in known}
    unknown = [name for name in names if name not in written]
    if unknown:
        told = ", ".join(repr(name[:80]) for name in unknown[:_MOST_TOLD])
        more = f" and {len(unknown) - _MOST_TOLD} more" if len(unknown) > _MOST_TOLD else ""
        raise errors.InvalidArgument(
            f"project {project.id} has no label {told}{more}; nothing was made",
            [errors.Violation("labels", f"there is no label {name[:80]!r}") for name in unknown[:_MOST_TOLD]],
            reason="UNKNOWN_LABELS",
        )


def _message(given: Mapping[str, Any]) -> label_pb2.Label:
    return label_pb2.Label(
        name=given["name"],
        color=given["color"],
        kind=given["kind"],
        attributes=[
            label_pb2.Attribute(
                name=one["name"],
                mutable=one["mutable"],
                input=one["input"],
                values=one["values"],
                default_value=one["default_value"],
            )
            for one in given["attributes"]
        ],
    )
