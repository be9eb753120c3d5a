"""The text in which LabelMe keeps attributes: `name=value, name=value`.

A backslash stands before backslashes, equal signs, quotes and commas. What is text but would be taken for a
number or a boolean, or has blanks at its ends, stands in quotes.
"""

import re
from collections.abc import Iterator

from yard.annotations.labels import Attribute, AttributeInput

_SPECIAL = re.compile(r'[\\=",]')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PARTS = re.compile(r"(?:\\.|[^\\,])+", re.DOTALL)
_SIGN = re.compile(r"((?:\\.|[^\\=])*)=(.*)", re.DOTALL)
_PLAIN = re.compile(r"[^\s\d.+\-](?:.*\S)?", re.DOTALL)
_WORDS = ("true", "false", "nan", "inf", "infinity")


def written(attribute: Attribute, value: str) -> str:
    """One attribute."""
    return f"{_escaped(attribute.name)}={_value(attribute, value)}"


def parsed(text: str) -> Iterator[tuple[str, str]]:
    """Names and values; a part without an equal sign has no value."""
    for part in _PARTS.findall(text):
        match = _SIGN.fullmatch(part)
        if match is not None:
            yield _ESCAPED.sub(r"\1", match[1].strip()), _unquoted(match[2].strip())
        elif name := part.strip():
            yield _ESCAPED.sub(r"\1", name), ""


def _value(attribute: Attribute, value: str) -> str:
    if attribute.is_boolean:
        return "True" if value == "true" else "False"
    if attribute.input is AttributeInput.NUMBER:
        return value
    text = _escaped(value)
    if not value or (_PLAIN.fullmatch(value) and value.lower() not in _WORDS):
        return text
    return f'"{text}"'


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    return _ESCAPED.sub(r"\1", value)
