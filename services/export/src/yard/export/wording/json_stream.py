"""JSON that is too large to be held: its outermost members, and the elements of its arrays one by one.

The values in them are parsed by the standard library's scanner, straight from a window of text: that is
several times faster than a parser of events. What one value may cost is limited, so that a hostile file
fills no memory.
"""

import codecs
import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NoReturn

_WINDOW = 1 << 20
LONGEST_VALUE = 16 << 20
"""Characters of one element."""
MOST_CONTAINERS = 400_000
"""Lists and objects in one element: empty ones are short to write and long to keep."""
_SPACE = " \t\n\r"
# A fault closer to the end of the window may come from what is cut off there.
_LONGEST_TOKEN = 32
# So many characters of a number that goes on are none to the scanner: those of 1e+2 without its last.
_NO_NUMBER = 2


class JsonError(ValueError):
    """What is wrong with the text, and where."""


def _refuse_constant(name: str) -> NoReturn:
    raise JsonError(f"{name} is not a number of JSON")


# Numbers with thousands of digits make int() raise ValueError, as other faults do.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_SCAN: Callable[[str, int], tuple[Any, int]] = _DECODER.scan_once  # type: ignore[attr-defined]


class JsonStream:
    """Reads UTF-8 from front to back; `progress` is told how many bytes were read whenever there are more."""

    def __init__(self, file: BinaryIO, progress: Callable[[int], None]) -> None:
        self._file = file
        self._progress = progress
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("strict")
        self._text = ""
        self._at = 0
        self._before = 0
        self._read = 0
        self._ended = False

    def members(self) -> Iterator[str]:
        """Names of an object's members; each value must be read by `value`, `elements` or `skip` in turn."""
        self._expect("{")
        if self._next() == "}":
            self._at += 1
            return
        while True:
            name = self.value()
            if not isinstance(name, str):
                self.fail("the name of a member must be a string")
            self._expect(":")
            yield name
            if self._separator("}"):
                return

    def elements(self) -> Iterator[Any]:
        """The values of an array."""
        self._expect("[")
        if self._next() == "]":
            self._at += 1
            return
        while True:
            try:
                value, end = _SCAN(self._text, self._at)
            except (StopIteration, ValueError, RecursionError):
                value = self.value()
            else:
                if end >= len(self._text) - _NO_NUMBER:
                    value = self.value()
                else:
                    self._at = end
            yield value
            # The usual case in the fewest steps: a comma and the next value right behind it.
            text, at = self._text, self._at
            if text[at : at + 2] == ",{":
                self._at += 1
            elif self._separator("]"):
                return

    def value(self) -> Any:
        """The next value as a whole."""
        self._next()
        while True:
            try:
                value, end = _SCAN(self._text, self._at)
            except (StopIteration, json.JSONDecodeError) as wrong:
                fault, place = self._fault(wrong)
            except ValueError as wrong:
                self.fail(str(wrong))
            except RecursionError:
                self.fail("values are nested too deeply")
            else:
                # A number that ends with the window may go on behind it.
                if end < len(self._text) - _NO_NUMBER or self._ended:
                    self._at = end
                    return value
                fault, place = "", end
            if self._ended or place < len(self._text) - _LONGEST_TOKEN:
                self._at = place
                self.fail(fault)
            self._grow()

    def _fault(self, wrong: StopIteration | json.JSONDecodeError) -> tuple[str, int]:
        """The reason and the place in the window."""
        if isinstance(wrong, StopIteration):
            return "a value is missing", int(wrong.value)
        # A string without an end is known by where it starts.
        is_open = wrong.msg.startswith("Unterminated")
        return wrong.msg, len(self._text) if is_open else wrong.pos

    def skip(self) -> None:
        """Passes over the next value, an array of any length too."""
        if self._next() == "[":
            for _ in self.elements():
                pass
        else:
            self.value()

    def is_array(self) -> bool:
        """Whether the next value is an array."""
        return self._next() == "["

    def end(self) -> None:
        """Nothing but blanks may follow."""
        if self._next():
            self.fail("there is more text behind the end")

    def fail(self, reason: str) -> NoReturn:
        """Raises for the present place."""
        raise JsonError(f"{reason}, at character {self._before + self._at + 1}")

    def _separator(self, closing: str) -> bool:
        """Passes a comma or the closing bracket; True for the latter."""
        found = self._next()
        if found not in (",", closing) or not found:
            self.fail(f"a comma or {closing} is missing")
        self._at += 1
        if found == closing:
            return True
        self._next()
        return False

    def _expect(self, char: str) -> None:
        if self._next() != char:
            self.fail(f"{char} is missing")
        self._at += 1

    def _next(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            text, at = self._text, self._at
            while at < len(text) and text[at] in _SPACE:
                at += 1
            self._at = at
            if at < len(text):
                return text[at]
            if self._ended:
                return ""
            self._grow()

    def _grow(self) -> None:
        """Drops what was read and doubles the rest, so that a long value is not scanned again and again."""
        rest = self._text[self._at :]
        if len(rest) > LONGEST_VALUE:
            self.fail(f"a value is longer than {LONGEST_VALUE} characters")
        if len(rest) > _WINDOW and rest.count("[") + rest.count("{") > MOST_CONTAINERS:
            self.fail(f"a value holds more than {MOST_CONTAINERS} lists and objects")
        data = self._file.read(max(_WINDOW, len(rest)))
        self._ended = not data
        self._before += self._at
        self._at = 0
        try:
            self._text = rest + self._decoder.decode(data, final=self._ended)
        except UnicodeDecodeError:
            self.fail(f"the text is not UTF-8 near byte {self._read}")
        self._read += len(data)
        self._progress(self._read)
