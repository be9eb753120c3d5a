"""The label map of TensorFlow: text with `item { id: 1 name: "car" }` for each label."""

import re
from collections.abc import Iterator

from yard.export.archives.refusals import refused

_TOKEN = re.compile(
    r"""(?P<skip>[\s,;]+|\#[^\n]*)|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"""|(?P<word>[A-Za-z_][\w.]*|[-+]?[0-9][\w.+-]*)|(?P<sign>[{}<>:\[\]])"""
)
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))", re.DOTALL)
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_ID = re.compile(r"[0-9]{1,9}")
_NAMES = ("name", "display_name")


def written(names: list[str]) -> str:
    """The map with ids from 1: 0 means the background."""
    return "".join(
        f"item {{\n  id: {id_}\n  name: {_quoted(name)}\n}}\n" for id_, name in enumerate(names, 1)
    )


def _quoted(name: str) -> str:
    # In single quotes an apostrophe would need an escape, which Datumaro takes for another label.
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def parsed(text: str, name: str) -> dict[int, str]:
    """Names by id; `name` is that of the file, for what is refused."""
    items = _Items()
    for line, kind, value in _tokens(text, name):
        where = f"{name}:{line}"
        if kind == "sign":
            items.bracket(value, where)
        elif kind == "text":
            items.text(value)
        else:
            items.word(value)
    if items.depth:
        raise refused(name, "ends inside of an item")
    return items.found


class _Items:
    """What was read so far; messages inside of an item are passed over."""

    def __init__(self) -> None:
        self.found: dict[int, str] = {}
        self.depth = 0
        self._key = ""
        self._item: dict[str, str] = {}

    def bracket(self, sign: str, where: str) -> None:
        if sign in ("{", "<"):
            self.depth += 1
        elif sign in ("}", ">"):
            self.depth -= 1
            if self.depth < 0:
                raise refused(where, f"{sign!r} closes nothing")
            if self.depth == 0:
                self._close(where)

    def text(self, value: str) -> None:
        if self.depth == 1:
            # Texts that follow each other are one.
            self._item[self._key] = self._item.get(self._key, "") + value

    def word(self, value: str) -> None:
        if self.depth == 1 and self._key == "id" and "id" not in self._item:
            self._item["id"] = value
        else:
            self._key = value

    def _close(self, where: str) -> None:
        item, self._item, self._key = self._item, {}, ""
        label = next((item[key] for key in _NAMES if item.get(key)), None)
        number = item.get("id", "")
        if label is None or not _ID.fullmatch(number):
            raise refused(where, "the item needs a name and an id of 0 or more")
        if int(number) in self.found:
            raise refused(where, f"the id {int(number)} is used more than once")
        self.found[int(number)] = label


def _tokens(text: str, name: str) -> Iterator[tuple[int, str, str]]:
    place, line = 0, 1
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise refused(f"{name}:{line}", f"{text[place : place + 20]!r} is not understood")
        kind, value = found.lastgroup or "", found[0]
        if kind == "text":
            yield line, kind, _unescaped(value[1:-1], f"{name}:{line}")
        elif kind != "skip":
            yield line, kind, value
        line += value.count("\n")
        place = found.end()


def _unescaped(text: str, where: str) -> str:
    if "\\" not in text:
        return text
    try:
        return _ESCAPE.sub(_character, text.encode()).decode()
    except UnicodeDecodeError:
        raise refused(where, f"{text[:80]!r} is not UTF-8") from None


def _character(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return bytes([int(found[1], 16)])
    if found[2]:
        return bytes([int(found[2], 8) & 0xFF])
    return _LETTERS.get(found[3], found[3])
