"""JSON that anybody may have written: read within bounds, and forgiving of a comma too many."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from yard.annotations.errors import AnnotationError, Fault

LONGEST_TEXT: Final = 4 * 1024 * 1024
_DEEPEST: Final = 32
_LONGEST_NUMBER: Final = 19
# Strings are passed over as a whole, the last one also if it does not end; nothing is tried twice.
_PIECE: Final = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|,(?=[ \t\r\n]*[\]}])|[\[{]|[\]}]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Odd:
    """An object that gives keys more than once; `entries` has the last of each."""

    entries: dict[str, Any]
    repeated: frozenset[str]


@dataclass(frozen=True, slots=True)
class OtherNumber:
    """A number that is not whole or too large for an id."""

    text: str


def loaded(text: str) -> Any:
    """What the text holds: lists, dicts or Odd, texts, whole numbers, OtherNumber, True, False, None."""
    if len(text) > LONGEST_TEXT:
        raise _refused(f"has {len(text)} characters, at most {LONGEST_TEXT} are read")
    try:
        return _DECODER.decode(_plain(text))
    except json.JSONDecodeError as wrong:
        at = f"line {wrong.lineno}, column {wrong.colno}"
        raise _refused(f"is no JSON: {wrong.msg} at {at}") from None


def _plain(text: str) -> str:
    """The text with spaces in place of commas before a closing bracket; refuses what nests too deep."""
    depth = 0

    def plain(match: re.Match[str]) -> str:
        nonlocal depth
        piece = match[0]
        if piece in ("[", "{"):
            depth += 1
            if depth > _DEEPEST:
                raise _refused(f"nests deeper than {_DEEPEST} levels")
        elif piece in ("]", "}"):
            depth -= 1
        return " " if piece == "," else piece

    return _PIECE.sub(plain, text)


def _refused(description: str) -> AnnotationError:
    return AnnotationError([Fault("text", description)])


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Odd:
    entries = dict(pairs)
    if len(entries) == len(pairs):
        return entries
    seen: set[str] = set()
    return Odd(entries, frozenset(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]


def _whole(text: str) -> int | OtherNumber:
    return int(text) if len(text) <= _LONGEST_NUMBER else OtherNumber(text)


def _constant(text: str) -> Any:
    raise _refused(f"is no JSON: {text} is no number")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=OtherNumber, parse_int=_whole, parse_constant=_constant
)
