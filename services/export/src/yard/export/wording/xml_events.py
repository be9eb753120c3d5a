"""XML read from the front as events, for files that may be hostile or larger than memory.

Document types are refused, so there are no entities but the five of XML itself; one tag, the depth and the
number of different names are bounded, and with them the memory that a file can take.
"""

from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Final
from xml.parsers import expat

# Large steps, because expat begins a tag anew with each of them.
_STEP_BYTES: Final = 1 << 20
LONGEST_TAG_BYTES: Final = 8 << 20
DEEPEST: Final = 64
MOST_NAMES: Final = 10_000


class BrokenXmlError(Exception):
    """The file cannot be read on; `line` is where."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


class XmlEvents:
    """One file. `start` gets a name and attributes; text is gathered only while somebody wants it."""

    def __init__(
        self,
        start: Callable[[str, Mapping[str, str]], None],
        end: Callable[[str], None],
        instruction: Callable[[str, str], None] = lambda target, data: None,
    ) -> None:
        self._names: dict[str, str] = {}
        parser = expat.ParserCreate(None, None, self._names)
        parser.buffer_text = True
        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.ProcessingInstructionHandler = instruction
        parser.StartDoctypeDeclHandler = self._document_type
        # Open to readers of a million elements, for a property costs as much as what it does.
        self.parser = parser
        self._text: list[str] = []
        self._append = self._text.append
        self._most = 0

    def hear(self, start: Callable[[str, Any], None], *, in_order: bool) -> None:
        """Another `start` from the next element on; `in_order` gets a list, names and values by turns."""
        self.parser.StartElementHandler = start
        self.parser.ordered_attributes = in_order

    @property
    def line(self) -> int:
        """Line of the present event, from 1."""
        return self.parser.CurrentLineNumber

    def gather(self, most: int) -> None:
        """Keeps the text from here on; more than `most` characters are refused."""
        self._text.clear()
        self._most = most
        self.parser.CharacterDataHandler = self._append

    def gathered(self) -> str:
        """The text since `gather`."""
        self.parser.CharacterDataHandler = None
        found = "".join(self._text)
        if len(found) > self._most:
            raise BrokenXmlError(self.line, f"a text has more than {self._most} characters")
        self._text.clear()
        return found

    def read(self, file: BinaryIO, tell: Callable[[int], None]) -> None:
        """Reads to the end; `tell` hears how many bytes were read so far. Raises BrokenXmlError."""
        done = 0
        try:
            while block := file.read(_STEP_BYTES):
                done += len(block)
                self.parser.Parse(block, False)
                self._check(done)
                tell(done)
            self.parser.Parse(b"", True)
        except expat.ExpatError as fault:
            raise BrokenXmlError(fault.lineno, f"is not XML: {expat.ErrorString(fault.code)}") from fault

    def _check(self, done: int) -> None:
        if done - max(0, self.parser.CurrentByteIndex) > LONGEST_TAG_BYTES:
            raise BrokenXmlError(self.line, f"a tag has more than {LONGEST_TAG_BYTES} bytes")
        if sum(map(len, self._text)) > self._most:
            raise BrokenXmlError(self.line, f"a text has more than {self._most} characters")
        if len(self._names) > MOST_NAMES:
            raise BrokenXmlError(self.line, f"has more than {MOST_NAMES} different names")

    def _document_type(self, *given: object) -> None:
        raise BrokenXmlError(self.line, "has a document type, which is not allowed")
