"""Lines of .gitattributes, as git reads them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

LONGEST_LINE: Final = 2048
"""Bytes: git overlooks lines that are not shorter."""

Value = bytes | bool | None
"""Set, unset (`-name`), a word, or taken back (`!name`)."""

_BLANK: Final = b" \t\r\n"
_BOM: Final = b"\xef\xbb\xbf"
_MACRO: Final = b"[attr]"
_NAME = re.compile(rb"[A-Za-z0-9_.][-A-Za-z0-9_.]*")
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"(.*)', re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:([0-3][0-7]{2})|(.))", re.DOTALL)
_ESCAPES = {
    b"a": b"\a",
    b"b": b"\b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"v": b"\v",
    b"\\": b"\\",
    b'"': b'"',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A pattern, or the name of a macro, and what it says; later words of it win over earlier ones."""

    pattern: bytes
    is_macro: bool
    values: tuple[tuple[bytes, Value], ...]


def lines_of(content: bytes) -> Iterator[Line]:
    """Those that git heeds, in their order."""
    for text in content.removeprefix(_BOM).split(b"\n"):
        found = _line(text.lstrip(_BLANK)) if len(text) < LONGEST_LINE else None
        if found is not None:
            yield found


def values_of(lines: list[Line], matching: list[Line]) -> Mapping[bytes, Value]:
    """What the matching lines come to; `lines` are all that may define macros, of the highest folder."""
    macros = {line.pattern: line for line in lines if line.is_macro}
    macros.setdefault(b"binary", _BINARY)
    found: dict[bytes, Value] = {}
    for line in reversed(matching):
        _fill(found, line, macros)
    return found


def _fill(found: dict[bytes, Value], line: Line, macros: Mapping[bytes, Line]) -> None:
    """Each attribute once, and a macro right behind its name; no recursion, as macros may nest deeply."""
    left = list(line.values)
    while left:
        name, value = left.pop()
        if name in found:
            continue
        found[name] = value
        if value is True and name in macros:
            left.extend(macros[name].values)


def _line(text: bytes) -> Line | None:
    if not text or text.startswith(b"#"):
        return None
    pattern, words = _split(text)
    is_macro = len(pattern) > len(_MACRO) and pattern.startswith(_MACRO)
    if is_macro:
        pattern = re.split(rb"[ \t\r\n]", pattern.removeprefix(_MACRO).lstrip(_BLANK), maxsplit=1)[0]
        if not _NAME.fullmatch(pattern):
            return None
    values = [_value(word) for word in re.split(rb"[ \t\r\n]+", words) if word]
    if pattern.startswith(b"!") and not is_macro:
        return None
    read = tuple(value for value in values if value is not None)
    # One word that is no attribute makes git overlook the whole line.
    return Line(pattern=pattern, is_macro=is_macro, values=read) if len(read) == len(values) else None


def _split(text: bytes) -> tuple[bytes, bytes]:
    quoted = _QUOTED.match(text)
    unquoted = _unquoted(quoted[1]) if quoted else None
    if quoted and unquoted is not None:
        return unquoted.partition(b"\0")[0], quoted[2]
    pattern = re.split(rb"[ \t\r\n]", text, maxsplit=1)[0]
    return pattern, text[len(pattern) :]


def _unquoted(text: bytes) -> bytes | None:
    """The bytes that stand in C's quotes; None if one of the escapes is none of git's."""
    is_known = True

    def replaced(found: re.Match[bytes]) -> bytes:
        nonlocal is_known
        if found[1] is not None:
            return bytes([int(found[1], 8)])
        is_known = is_known and found[2] in _ESCAPES
        return _ESCAPES.get(found[2], b"")

    read = _ESCAPE.sub(replaced, text)
    return read if is_known else None


def _value(word: bytes) -> tuple[bytes, Value] | None:
    sign = word[:1] if word[:1] in (b"-", b"!") else b""
    name, equals, text = word.removeprefix(sign).partition(b"=")
    if not _NAME.fullmatch(name):
        return None
    if sign:
        return name, False if sign == b"-" else None
    return name, text if equals else True


_BINARY = Line(
    pattern=b"binary", is_macro=True, values=((b"diff", False), (b"merge", False), (b"text", False))
)
