"""Small XML files as the elements below their root, one at a time: only one of them is held."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from yard.export.formats.opened import Entry, Opened
from yard.export.formats.xml_events import BrokenXmlError, XmlEvents

LONGEST_TEXT: Final = 65_536
MOST_NODES: Final = 100_000


class Node:
    """An element with its text, if it has no children, and the line where it begins."""

    __slots__ = ("children", "line", "name", "text")

    def __init__(self, name: str, line: int) -> None:
        self.name = name
        self.line = line
        self.text = ""
        self.children: list[Node] = []

    def child(self, name: str) -> Node | None:
        """The first child of this name."""
        for node in self.children:
            if node.name == name:
                return node
        return None

    def all(self, name: str) -> Iterator[Node]:
        """All children of this name."""
        return (node for node in self.children if node.name == name)

    def value(self, name: str, default: str = "") -> str:
        """The text of a child without the blanks around it."""
        found = self.child(name)
        return default if found is None else found.text.strip()


def read_records(opened: Opened, entry: Entry, root: str, take: Callable[[Node], None]) -> None:
    """Gives each child of the root; raises BrokenXmlError."""
    with opened.open(entry) as file:
        records = _Records(root, take)
        records.events.read(file, lambda done: None)


class _Records:
    def __init__(self, root: str, take: Callable[[Node], None]) -> None:
        self.events = XmlEvents(self._start, self._end)
        self._root = root
        self._take = take
        self._open: list[Node] = []
        self._depth = self._nodes = 0

    def _start(self, name: str, given: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth == 1:
            if name != self._root:
                reason = f"begins with {name[:40]!r}, {self._root} is needed"
                raise BrokenXmlError(self.events.line, reason)
            return
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise BrokenXmlError(self.events.line, f"an element holds more than {MOST_NODES} others")
        node = Node(name, self.events.line)
        if self._open:
            self._open[-1].children.append(node)
        self._open.append(node)
        self.events.gather(LONGEST_TEXT)

    def _end(self, name: str) -> None:
        self._depth -= 1
        if not self._open:
            return
        node = self._open.pop()
        if not node.children:
            node.text = self.events.gathered()
        if not self._open:
            self._nodes = 0
            self._take(node)
