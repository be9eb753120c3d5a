"""Labels as the JSON text that people copy from one tool into another; the platform reads and writes it."""

import json
import re
import sys
from pathlib import Path
from typing import Any, Final

from frameyard.task.v1 import label_pb2, label_service_pb2
from yard.client.cli.context import Call
from yard.client.failures import ClientError, Violation

_RAW_KEYS: Final = frozenset({"type", "svg", "sublabels"})
_RAW_WORDS: Final = re.compile(r'"(?:type|input_type)"\s*:', re.IGNORECASE)


def text_of(file: Path) -> str:
    """What a file holds, or standard input (-); ClientError names it."""
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return content.decode()
    except OSError as fault:
        raise ClientError(f"{file}: {fault.strerror}", code="NOT_FOUND") from fault
    except UnicodeDecodeError as fault:
        raise ClientError(f"{file}: not UTF-8", code="INVALID_ARGUMENT") from fault


def raw_text(file: Path) -> str | None:
    """What a file holds if it is such text, else None: also where there is no such file."""
    if not file.is_file():
        return None
    text = text_of(file)
    return text if is_raw(text) else None


def is_raw(text: str) -> bool:
    """Whether it is that text, which says `type` and `input_type`, and not labels as `--json` prints them."""
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError):
        # With a comma too many it is no JSON, and still what people copy.
        return _RAW_WORDS.search(text) is not None
    return isinstance(content, list) and any(map(_is_raw_label, content))


def _is_raw_label(entry: object) -> bool:
    if not isinstance(entry, dict):
        return False
    attributes = entry.get("attributes")
    inside = attributes if isinstance(attributes, list) else []
    return bool(_RAW_KEYS & entry.keys()) or any(
        isinstance(each, dict) and "input_type" in each for each in inside
    )


async def parsed(call: Call, text: str, name: str) -> list[label_pb2.Label]:
    """The labels of a text; what means nothing here is noted, faults name `name` and the place in it."""
    answer = await parse(call, text, name)
    for key in answer.unknown_keys:
        call.out.note(f"{name}: {key} means nothing here")
    return list(answer.labels)


async def parse(call: Call, text: str, name: str) -> label_service_pb2.ParseLabelsResponse:
    """What the platform reads in a text."""
    try:
        request = label_service_pb2.ParseLabelsRequest(text=text)
        return await call.client.call(call.client.labels.ParseLabels, request)
    except ClientError as fault:
        raise _in_file(fault, name) from fault


def _in_file(fault: ClientError, name: str) -> ClientError:
    """Fields such as text[0].name become places in the file."""
    violations = tuple(
        Violation(
            field=f"{name}: {each.field.removeprefix('text')}".rstrip(": "), description=each.description
        )
        for each in fault.violations
    )
    return ClientError(fault.message, code=fault.code, violations=violations, hint=fault.hint)
