"""The head that both CVAT formats share: the task or job with its labels."""

from collections.abc import Iterator

from yard.annotations.labels import Attribute, AttributeInput, Label, LabelKind
from yard.export.domain import Segment, Subject
from yard.export.formats.parts import Part
from yard.export.formats.xml_text import leaf, nested

_INPUTS = {kind: kind.name.lower() for kind in AttributeInput}
_KINDS = {kind: kind.name.lower() for kind in LabelKind}


def head(part: Part) -> str:
    """`version` and `meta`; dumped at the time of the last change, so that equal content has equal bytes."""
    subject = part.subject
    inside = [nested(2, "job" if subject.job_id else "task", _subject(part))]
    inside.append(leaf(2, "dumped", str(subject.updated)))
    if subject.job_id and subject.mode == "interpolation":
        inside.append(_original_size(subject, 2))
    return leaf(1, "version", "1.1") + nested(1, "meta", inside)


def _subject(part: Part) -> Iterator[str]:
    subject = part.subject
    yield leaf(3, "id", str(subject.job_id or subject.task_id))
    if not subject.job_id:
        yield leaf(3, "name", subject.name)
    yield leaf(3, "size", str(subject.size))
    yield leaf(3, "mode", subject.mode)
    yield leaf(3, "overlap", str(subject.overlap))
    yield leaf(3, "bugtracker", subject.issue_tracker)
    yield leaf(3, "created", str(subject.created))
    yield leaf(3, "updated", str(subject.updated))
    yield leaf(3, "subset", subject.subset)
    yield leaf(3, "start_frame", str(part.source_number(subject.first)))
    yield leaf(3, "stop_frame", str(part.source_number(subject.last)))
    yield leaf(3, "frame_filter", f"step={subject.frame_step}" if subject.frame_step > 1 else "")
    yield nested(3, "segments", map(_segment, subject.segments))
    yield _person("owner", subject.owner)
    yield _person("assignee", subject.assignee)
    yield nested(3, "labels", map(_label, subject.labels.labels))
    if subject.mode == "interpolation" and not subject.job_id:
        yield _original_size(subject, 3)
        yield leaf(3, "source", "")


def _segment(segment: Segment) -> str:
    inside = (
        leaf(5, "id", str(segment.job_id)),
        leaf(5, "start", str(segment.first)),
        leaf(5, "stop", str(segment.last)),
        leaf(5, "url", f"/api/jobs/{segment.job_id}"),
    )
    return nested(4, "segment", inside)


def _person(name: str, username: str) -> str:
    if not username:
        return leaf(3, name, "")
    return nested(3, name, (leaf(4, "username", username), leaf(4, "email", "")))


def _label(label: Label) -> str:
    inside = (
        leaf(5, "name", label.name),
        leaf(5, "color", label.color),
        leaf(5, "type", _KINDS[label.kind]),
        nested(5, "attributes", map(_attribute, label.attributes)),
    )
    return nested(4, "label", inside)


def _attribute(attribute: Attribute) -> str:
    inside = (
        leaf(7, "name", attribute.name),
        leaf(7, "mutable", str(attribute.mutable)),
        leaf(7, "input_type", _INPUTS[attribute.input]),
        leaf(7, "default_value", attribute.default),
        leaf(7, "values", "\n".join(attribute.values)),
    )
    return nested(6, "attribute", inside)


def _original_size(subject: Subject, depth: int) -> str:
    inside = (leaf(depth + 1, "width", str(subject.width)), leaf(depth + 1, "height", str(subject.height)))
    return nested(depth, "original_size", inside)
