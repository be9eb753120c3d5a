"""Patterns of .gitattributes against paths, as git matches them, in time that no pattern can blow up.

A pattern becomes a row of steps, and a path is held against all places in the row at once: places are the
bits of a number, so a byte of the path costs a few operations on it however many stars there are.
"""

from dataclasses import dataclass
from typing import Final

_BYTES: Final = frozenset(range(1, 256))
_SLASH: Final = ord("/")
_SPECIAL: Final = frozenset(b"*?[\\")
_CLASSES = {
    b"alnum": lambda code: bytes([code]).isalnum(),
    b"alpha": lambda code: bytes([code]).isalpha(),
    b"blank": lambda code: code in b" \t",
    b"cntrl": lambda code: code < 0x20 or code == 0x7F,
    b"digit": lambda code: bytes([code]).isdigit(),
    b"graph": lambda code: 0x21 <= code < 0x7F,
    b"lower": lambda code: bytes([code]).islower(),
    b"print": lambda code: 0x20 <= code < 0x7F,
    b"punct": lambda code: 0x21 <= code < 0x7F and not bytes([code]).isalnum(),
    b"space": lambda code: code in b" \t\n\r",
    b"upper": lambda code: bytes([code]).isupper(),
    b"xdigit": lambda code: code in b"0123456789abcdefABCDEF",
}


@dataclass(frozen=True, slots=True)
class _Step:
    """The bytes that it takes: one of them, or any number; `skips` steps may be left out with it."""

    takes: frozenset[int]
    repeats: bool = False
    skips: int = 0


def matches(pattern: bytes, path: bytes) -> bool:
    """Whether the pattern of a line means the file at `path`, seen from the folder of the .gitattributes."""
    if not pattern or pattern.endswith(b"/"):
        return False  # folders only
    if b"/" not in pattern:
        return _fits(pattern, path.rpartition(b"/")[2], by_folders=False)
    pattern = pattern.removeprefix(b"/")
    plain = next((place for place, code in enumerate(pattern) if code in _SPECIAL), len(pattern))
    if not path.startswith(pattern[:plain]):
        return False
    # Git holds only the rests against each other, so a `**` within a name may come to stand at a beginning.
    return _fits(pattern[plain:], path[plain:], by_folders=True)


def _fits(pattern: bytes, text: bytes, *, by_folders: bool) -> bool:
    steps = _Reading(pattern, by_folders=by_folders).steps()
    row = _Row(steps)
    places = row.spread(1)
    for code in text:
        taken = row.taken(places, code)
        if not taken:
            return False
        places = row.spread(taken)
    return bool(places >> len(steps) & 1)


class _Row:
    """Places as bits: bit n is before step n."""

    def __init__(self, steps: list[_Step]) -> None:
        self._one: dict[frozenset[int], int] = {}
        self._many: dict[frozenset[int], int] = {}
        self._skipped: dict[int, int] = {}
        self._by_code: dict[int, tuple[int, int]] = {}
        for place, step in enumerate(steps):
            table = self._many if step.repeats else self._one
            table[step.takes] = table.get(step.takes, 0) | 1 << place
            for length in {1, step.skips} - {0} if step.repeats else ():
                self._skipped[length] = self._skipped.get(length, 0) | 1 << place

    def taken(self, places: int, code: int) -> int:
        """Where one is after the byte."""
        if code not in self._by_code:
            self._by_code[code] = _taking(self._one, code), _taking(self._many, code)
        one, many = self._by_code[code]
        return (places & one) << 1 | places & many

    def spread(self, places: int) -> int:
        """And behind what may be left out; never more than three such steps stand in a row."""
        for _ in range(3):
            for length, bits in self._skipped.items():
                places |= (places & bits) << length
        return places


def _taking(table: dict[frozenset[int], int], code: int) -> int:
    found = 0
    for takes, places in table.items():
        if code in takes:
            found |= places
    return found


class _Reading:
    """Takes a pattern apart; what git never matches becomes a step that takes nothing."""

    def __init__(self, pattern: bytes, *, by_folders: bool) -> None:
        self._pattern = pattern
        self._place = 0
        self._by_folders = by_folders
        self._within = _BYTES - {_SLASH} if by_folders else _BYTES

    def steps(self) -> list[_Step]:
        found: list[_Step] = []
        while self._place < len(self._pattern):
            code = self._pattern[self._place]
            if code == ord("*"):
                self._star(found)
                continue
            self._place += 1
            if code == ord("?"):
                found.append(_Step(self._within))
            elif code == ord("["):
                found.append(_Step(self._set() & self._within))
            else:
                found.append(_Step(frozenset({self._escaped() if code == ord("\\") else code})))
        return found

    def _escaped(self) -> int:
        """The byte behind a backslash; 0, which is in no path, at the end."""
        code = self._at(self._place)
        self._place += 1
        return code

    def _at(self, place: int) -> int:
        return self._pattern[place] if place < len(self._pattern) else 0

    def _star(self, found: list[_Step]) -> None:
        begins = self._place
        while self._at(self._place) == ord("*"):
            self._place += 1
        if not self._by_folders or self._place - begins == 1:
            found.append(_Step(self._within, repeats=True))
            return
        rest = self._pattern[self._place : self._place + 2]
        is_alone = begins == 0 or self._pattern[begins - 1] == _SLASH
        if not is_alone or not (rest[:1] in (b"", b"/") or rest == b"\\/"):
            found.append(_Step(self._within, repeats=True))
        elif rest[:1] != b"/":
            found.append(_Step(_BYTES, repeats=True))
        elif len(found) >= 3 and found[-3].skips:
            self._place += 1  # `**/**/` says no more than `**/`
        else:
            # Left out as a whole before a byte of it is taken, never after: `**/b` does not mean `ab`.
            found.append(_Step(frozenset(), repeats=True, skips=3))
            found.append(_Step(_BYTES, repeats=True))
            found.append(_Step(frozenset({_SLASH})))
            self._place += 1

    def _set(self) -> frozenset[int]:
        negated = self._at(self._place) in b"!^"
        self._place += negated
        found: set[int] = set()
        before = 0
        while True:
            read = self._member(found, before)
            if read is None:
                self._place = len(self._pattern)
                return frozenset()
            before = read
            self._place += 1
            if self._at(self._place) == ord("]"):
                self._place += 1
                return _BYTES - found if negated else frozenset(found)

    def _member(self, found: set[int], before: int) -> int | None:
        """Reads one, and gives the byte that a range may begin with; None if the set never ends."""
        code = self._at(self._place)
        if code == ord("-") and before and self._at(self._place + 1) not in (0, ord("]")):
            self._place += 1
            last = self._literal()
            found.update(range(before, last + 1))
            return 0 if last else None
        if code == ord("[") and self._at(self._place + 1) == ord(":"):
            return self._named(found)
        code = self._literal()
        found.add(code)
        return code or None

    def _literal(self) -> int:
        if self._at(self._place) == ord("\\"):
            self._place += 1
        return self._at(self._place)

    def _named(self, found: set[int]) -> int | None:
        begins = self._place + 2
        ends = self._pattern.find(b"]", begins)
        if ends < 0:
            return None
        if ends == begins or self._pattern[ends - 1] != ord(":"):
            found.add(ord("["))
            return ord("[")
        belongs = _CLASSES.get(self._pattern[begins : ends - 1])
        if belongs is None:
            return None
        self._place = ends
        found.update(filter(belongs, range(1, 128)))
        return 0
