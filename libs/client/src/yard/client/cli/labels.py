"""Labels on the command line: `car`, `person:polygon`, `car:rectangle:colour=select[red,blue]`."""

import asyncio
import functools
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from frameyard.task.v1 import label_pb2
from google.protobuf.json_format import ParseDict, ParseError
from yard.client.cli.context import Call
from yard.client.cli.label_texts import parsed, raw_text
from yard.client.cli.parameters import ID, stacked, word
from yard.client.failures import ClientError, Violation

FORM = "NAME[:KIND][:ATTRIBUTE=INPUT[VALUE,...],...]; ~ before the input makes it mutable"
K = TypeVar("K")

_KINDS = {name.removeprefix("LABEL_KIND_").lower(): number for name, number in label_pb2.LabelKind.items()}
_INPUTS = {
    name.removeprefix("ATTRIBUTE_INPUT_").lower(): number for name, number in label_pb2.AttributeInput.items()
}
_COLON_OUTSIDE_VALUES = re.compile(r":(?![^\[\]]*\])")
_ATTRIBUTE = re.compile(
    r"(?P<name>[^=,\[\]]+)=(?P<mutable>~?)(?P<input>[a-z]+)(?:\[(?P<values>[^\]]*)\])?(?:,|$)"
)

given_labels: Callable[[Callable[..., None]], Callable[..., None]] = stacked(
    (
        click.option("--label", "labels", multiple=True, metavar="LABEL", help=f"{FORM}. Repeat it."),
        click.option(
            "--labels",
            "labels_file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="JSON file: a list of labels as `--json` prints them, or as `label format` writes them.",
        ),
    )
)
"""`--label` and `--labels`, to be read by `given_to`."""


_CHANGES = stacked(
    (
        given_labels,
        click.option(
            "--delete", "deleted", multiple=True, type=ID, metavar="ID", help="Label to delete. Repeat it."
        ),
        click.option(
            "--delete-attribute", "gone", multiple=True, type=ID, metavar="ID", help="Attribute to delete."
        ),
        click.option("--force", is_flag=True, help="Delete even if annotations use it; they go too."),
        click.option("--dry-run", is_flag=True, help="Only tell what that would do to annotations."),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelChanges:
    """What is to become of the labels of a project or a task."""

    labels: Sequence[str]
    labels_file: Path | None
    deleted: Sequence[int]
    gone: Sequence[int]
    force: bool
    dry_run: bool

    async def fields(self, call: Call) -> dict[str, Any]:
        """Of UpdateProjectLabels and UpdateTaskLabels."""
        return {
            "labels": await given_to(call, self.labels, self.labels_file),
            "delete_label_ids": self.deleted,
            "delete_attribute_ids": self.gone,
            "force": self.force,
            "validate_only": self.dry_run,
        }


def label_changes(run: Callable[..., None]) -> Callable[..., None]:
    """Adds options that change labels, and hands LabelChanges on."""

    @_CHANGES
    @functools.wraps(run)
    def entry(
        *arguments: Any,
        labels: Sequence[str],
        labels_file: Path | None,
        deleted: Sequence[int],
        gone: Sequence[int],
        force: bool,
        dry_run: bool,
        **options: Any,
    ) -> None:
        changes = LabelChanges(
            labels=labels, labels_file=labels_file, deleted=deleted, gone=gone, force=force, dry_run=dry_run
        )
        run(*arguments, changes=changes, **options)

    return entry


def labels_of(texts: Sequence[str], file: Path | None) -> list[label_pb2.Label]:
    """All labels that were given; ClientError names every one that is not understood."""
    labels, faults = list[label_pb2.Label](), list[Violation]()
    for text in texts:
        try:
            labels.append(parse_label(text))
        except ClientError as fault:
            faults.append(Violation(field="--label", description=fault.message))
    if faults:
        raise ClientError(
            "labels are not understood",
            code="INVALID_ARGUMENT",
            violations=tuple(faults),
            hint=f"a label is {FORM}",
        )
    return labels + (read_labels(file) if file else [])


async def given_to(call: Call, texts: Sequence[str], file: Path | None) -> list[label_pb2.Label]:
    """Labels of the options, of a file in either form; the platform reads the JSON that people copy."""
    raw = None if file is None else await asyncio.to_thread(raw_text, file)
    if raw is None:
        return labels_of(texts, file)
    return labels_of(texts, None) + await parsed(call, raw, str(file))


def parse_label(text: str) -> label_pb2.Label:
    """One label; ClientError names the part that is not understood."""
    name, *parts = _COLON_OUTSIDE_VALUES.split(text)
    label = label_pb2.Label(name=name.strip(), kind=label_pb2.LABEL_KIND_ANY)
    for part in parts:
        if "=" in part:
            label.attributes.extend(_attributes(text, part))
        else:
            label.kind = _one_of(_KINDS, part.strip(), text, "kind of label")
    return label


def read_labels(file: Path) -> list[label_pb2.Label]:
    """Labels from a JSON list of frameyard.task.v1.Label; ClientError names the file and the label."""
    try:
        content: Any = json.loads(file.read_text())
    except (OSError, ValueError) as fault:
        raise ClientError(f"{file}: cannot be read as JSON: {fault}", code="INVALID_ARGUMENT") from fault
    if not isinstance(content, list):
        raise ClientError(f"{file}: not a list of labels", code="INVALID_ARGUMENT")
    labels, faults = list[label_pb2.Label](), list[Violation]()
    for number, entry in enumerate(content):
        try:
            labels.append(ParseDict(entry, label_pb2.Label()))
        except (ParseError, TypeError, AttributeError, ValueError) as fault:
            faults.append(Violation(field=f"{file}: labels[{number}]", description=str(fault)))
    if faults:
        message = f"{file}: not a list of labels"
        raise ClientError(message, code="INVALID_ARGUMENT", violations=tuple(faults))
    return labels


def lines_of(labels: Iterable[label_pb2.Label]) -> list[str]:
    """Labels for people: a line each, with the ids that annotations need."""
    return [line for label in labels for line in _lines_of(label)]


def effect_lines(effects: Iterable[label_pb2.LabelEffect]) -> list[str]:
    """What a change of labels does, for people: a line each; "nothing changes" if there is none."""
    return [_effect_line(effect) for effect in effects] or ["nothing changes"]


def _effect_line(effect: label_pb2.LabelEffect) -> str:
    if not effect.name_before:
        return f"label {effect.name_after}: new"
    name = f"label {effect.label_id}: {effect.name_before}"
    if not effect.name_after:
        return f"{name} goes; objects that go with it: {effect.deleted_objects}"
    if effect.name_after != effect.name_before:
        name += f", from now on {effect.name_after}"
    told = [f"{what}: {getattr(effect, field)}" for field, what in _TOLD if getattr(effect, field)]
    return "; ".join([name, *(told or ["no objects are concerned"])])


_TOLD = (
    ("stripped_objects", "objects that lose a value"),
    ("misfit_objects", "objects that stay, although it is not for their kind"),
    ("misfit_values", "objects with a value that is not allowed any more"),
)


def _lines_of(label: label_pb2.Label) -> Iterable[str]:
    kind = word(label_pb2.LabelKind, "LABEL_KIND_", label.kind)
    yield f"  label {label.id}: {label.name} ({kind}) {label.color}".rstrip()
    for attribute in label.attributes:
        entered = word(label_pb2.AttributeInput, "ATTRIBUTE_INPUT_", attribute.input)
        values = f" [{', '.join(attribute.values)}]" if attribute.values else ""
        mutable = ", mutable" if attribute.mutable else ""
        yield f"    attribute {attribute.id}: {attribute.name} ({entered}{mutable}){values}"


def _attributes(text: str, part: str) -> list[label_pb2.Attribute]:
    found, position = [], 0
    while position < len(part):
        match = _ATTRIBUTE.match(part, position)
        if match is None:
            raise _fault(text, f"{part[position:]!r} is not an attribute")
        found.append(_attribute(text, match))
        position = match.end()
    return found


def _attribute(text: str, match: re.Match[str]) -> label_pb2.Attribute:
    values = match["values"]
    return label_pb2.Attribute(
        name=match["name"].strip(),
        mutable=bool(match["mutable"]),
        input=_one_of(_INPUTS, match["input"], text, "input of an attribute"),
        values=[value.strip() for value in values.split(",")] if values else [],
    )


def _one_of(known: dict[str, K], word: str, text: str, what: str) -> K:
    if word not in known or word == "unspecified":
        allowed = ", ".join(name for name in known if name != "unspecified")
        raise _fault(text, f"{word!r} is no {what}; known are {allowed}")
    return known[word]


def _fault(text: str, why: str) -> ClientError:
    return ClientError(f"{text!r}: {why}", code="INVALID_ARGUMENT", hint=f"a label is {FORM}")
