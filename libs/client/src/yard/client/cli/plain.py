"""Text of other people, made harmless for terminals: no escapes, no moving cursor, no reversed words."""

import json
import re

# Control characters, line and paragraph separators, direction overrides, and halves of surrogate pairs.
_HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    """One line in which characters that could act on a terminal are written out as escapes."""
    return _HARMFUL.sub(lambda match: _written_out(match[0]), text)


def plain_json(value: object) -> str:
    """JSON in one line, with the same characters as JSON escapes."""
    text = json.dumps(value, ensure_ascii=False)
    return _HARMFUL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _written_out(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
