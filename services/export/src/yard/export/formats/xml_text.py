"""XML as text: an order of magnitude faster than a tree, and written as it goes."""

import re
from collections.abc import Iterable
from functools import lru_cache
from xml.sax.saxutils import escape

# XML 1.0 cannot hold these at all, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IN_TEXT = {"\r": "&#13;"}
_IN_ATTRIBUTE = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
_INDENTS = ["  " * depth for depth in range(9)]
# Names and values repeat from object to object.
_cached = lru_cache(maxsize=8192)


@_cached
def text(value: str) -> str:
    """The value as content of an element; what XML cannot hold becomes U+FFFD."""
    return escape(_FORBIDDEN.sub("\ufffd", value), _IN_TEXT)


@_cached
def in_quotes(value: str) -> str:
    """The value as it stands between the quotes of an attribute."""
    return escape(_FORBIDDEN.sub("\ufffd", value), _IN_ATTRIBUTE)


def leaf(depth: int, name: str, value: str) -> str:
    """A line with one element that holds text."""
    return f"{_INDENTS[depth]}<{name}>{text(value)}</{name}>\n"


def nested(depth: int, name: str, inside: Iterable[str], written: str = "") -> str:
    """Lines of an element that holds other elements; `written` are its attributes as text."""
    indent = _INDENTS[depth]
    return f"{indent}<{name}{written}>\n{''.join(inside)}{indent}</{name}>\n"
