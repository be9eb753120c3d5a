"""The head that both CVAT formats share: the project, task or job with its labels."""

from collections.abc import Iterator

from yard.annotations.labels import Attribute, AttributeInput, Label, LabelKind, LabelSchema
from yard.export.datasets.dataset import Dataset
from yard.export.domain import ProjectSubject, Segment, Subject
from yard.export.wording.xml_text import leaf, nested
from yard.media.selection import FrameSelection

_INPUTS = {kind: kind.name.lower() for kind in AttributeInput}
_KINDS = {kind: kind.name.lower() for kind in LabelKind}


def head(dataset: Dataset) -> str:
    """`version` and `meta`; dumped at the time of the last change, so that equal content has equal bytes."""
    whole = dataset.whole
    if isinstance(whole, ProjectSubject):
        inside = [nested(2, "project", _project(whole, dataset.subsets))]
    else:
        inside = [nested(2, "job" if whole.job_id else "task", _subject(whole, 3))]
    inside.append(leaf(2, "dumped", str(whole.updated)))
    if isinstance(whole, Subject) and whole.job_id and whole.mode == "interpolation":
        inside.append(_original_size(whole, 2))
    return leaf(1, "version", "1.1") + nested(1, "meta", inside)


def _project(project: ProjectSubject, subsets: list[str]) -> Iterator[str]:
    """The tasks refer to the labels of the project."""
    yield leaf(3, "id", str(project.project_id))
    yield leaf(3, "name", project.name)
    yield leaf(3, "bugtracker", project.issue_tracker)
    yield leaf(3, "created", str(project.created))
    yield leaf(3, "updated", str(project.updated))
    yield _labels(project.labels, 3)
    yield leaf(3, "subsets", "\n".join(subsets))
    yield _person(3, "owner", project.owner)
    yield _person(3, "assignee", project.assignee)
    tasks = (nested(4, "task", _subject(task, 5, has_labels=False)) for task in project.tasks)
    yield nested(3, "tasks", tasks)


def _subject(subject: Subject, depth: int, *, has_labels: bool = True) -> Iterator[str]:
    yield leaf(depth, "id", str(subject.job_id or subject.task_id))
    if not subject.job_id:
        yield leaf(depth, "name", subject.name)
    yield leaf(depth, "size", str(subject.size))
    yield leaf(depth, "mode", subject.mode)
    yield leaf(depth, "overlap", str(subject.overlap))
    yield leaf(depth, "bugtracker", subject.issue_tracker)
    yield leaf(depth, "created", str(subject.created))
    yield leaf(depth, "updated", str(subject.updated))
    yield leaf(depth, "subset", subject.subset)
    selection = FrameSelection(start=subject.start_frame, step=subject.frame_step)
    yield leaf(depth, "start_frame", str(selection.absolute(subject.first)))
    yield leaf(depth, "stop_frame", str(selection.absolute(subject.last)))
    yield leaf(depth, "frame_filter", f"step={subject.frame_step}" if subject.frame_step > 1 else "")
    yield nested(depth, "segments", (_segment(segment, depth + 1) for segment in subject.segments))
    yield _person(depth, "owner", subject.owner)
    yield _person(depth, "assignee", subject.assignee)
    if has_labels:
        yield _labels(subject.labels, depth)
    if subject.mode == "interpolation" and not subject.job_id:
        yield _original_size(subject, depth)
        yield leaf(depth, "source", "")


def _segment(segment: Segment, depth: int) -> str:
    inside = (
        leaf(depth + 1, "id", str(segment.job_id)),
        leaf(depth + 1, "start", str(segment.first)),
        leaf(depth + 1, "stop", str(segment.last)),
        leaf(depth + 1, "url", f"/api/jobs/{segment.job_id}"),
    )
    return nested(depth, "segment", inside)


def _person(depth: int, name: str, username: str) -> str:
    if not username:
        return leaf(depth, name, "")
    return nested(depth, name, (leaf(depth + 1, "username", username), leaf(depth + 1, "email", "")))


def _labels(schema: LabelSchema, depth: int) -> str:
    return nested(depth, "labels", (_label(label, depth + 1) for label in schema.labels))


def _label(label: Label, depth: int) -> str:
    attributes = (_attribute(attribute, depth + 2) for attribute in label.attributes)
    inside = (
        leaf(depth + 1, "name", label.name),
        leaf(depth + 1, "color", label.color),
        leaf(depth + 1, "type", _KINDS[label.kind]),
        nested(depth + 1, "attributes", attributes),
    )
    return nested(depth, "label", inside)


def _attribute(attribute: Attribute, depth: int) -> str:
    inside = (
        leaf(depth + 1, "name", attribute.name),
        leaf(depth + 1, "mutable", str(attribute.mutable)),
        leaf(depth + 1, "input_type", _INPUTS[attribute.input]),
        leaf(depth + 1, "default_value", attribute.default),
        leaf(depth + 1, "values", "\n".join(attribute.values)),
    )
    return nested(depth, "attribute", inside)


def _original_size(subject: Subject, depth: int) -> str:
    inside = (leaf(depth + 1, "width", str(subject.width)), leaf(depth + 1, "height", str(subject.height)))
    return nested(depth, "original_size", inside)
