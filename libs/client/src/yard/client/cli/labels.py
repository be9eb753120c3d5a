"""Labels on the command line: `car`, `person:polygon`, `car:rectangle:colour=select[red,blue],parked=~checkbox`."""

import json
import re
from pathlib import Path
from typing import TypeVar

from frameyard.task.v1 import label_pb2
from google.protobuf.json_format import ParseDict, ParseError

from yard.client.failures import ClientError

FORM = "name[:kind][:attribute=input[value,...],...]; ~ before the input makes it mutable"
K = TypeVar("K")

_KINDS = {name.removeprefix("LABEL_KIND_").lower(): number for name, number in label_pb2.LabelKind.items()}
_INPUTS = {
    name.removeprefix("ATTRIBUTE_INPUT_").lower(): number for name, number in label_pb2.AttributeInput.items()
}
_ATTRIBUTE = re.compile(r"(?P<name>[^=,\[\]]+)=(?P<mutable>~?)(?P<input>[a-z]+)(?:\[(?P<values>[^\]]*)\])?(?:,|$)")


def parse_label(text: str) -> label_pb2.Label:
    """One label; ClientError names the part that is not understood."""
    name, *parts = text.split(":")
    label = label_pb2.Label(name=name.strip(), kind=label_pb2.LABEL_KIND_ANY)
    for part in parts:
        if "=" in part:
            label.attributes.extend(_attributes(text, part))
        else:
            label.kind = _one_of(_KINDS, part.strip(), text, "kind of label")
    return label


def read_labels(file: Path) -> list[label_pb2.Label]:
    """Labels from a JSON list of frameyard.task.v1.Label."""
    try:
        content = json.loads(file.read_text())
        return [ParseDict(entry, label_pb2.Label()) for entry in content]
    except (OSError, ValueError, TypeError, ParseError) as fault:
        raise ClientError(f"{file}: not a JSON list of labels: {fault}", code="INVALID_ARGUMENT") from fault


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
    return ClientError(f"label {text!r}: {why}", code="INVALID_ARGUMENT", hint=f"a label is {FORM}")
