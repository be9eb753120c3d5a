"""Which members of an archive are wanted, by a list of their names: a JSON text a line."""

import io
import json
from array import array
from collections.abc import Iterator
from typing import BinaryIO, cast

import numpy as np
from yard.media.errors import MediaError

_LONGEST_LINE = 16 << 10


class MemberList:
    """Names of members, of which 8 bytes each are held; frames are called without `folder` before them."""

    def __init__(self, file: io.RawIOBase, name: str, folder: str, *, most: int) -> None:
        self._folder = folder
        self._name = name
        hashes = array("q")
        for number, line in enumerate(_lines(file, name), 1):
            if number > most:
                raise MediaError("limit", f"lists more than {most} members", name)
            hashes.append(hash(_member(line, number, name)))
        self._hashes = np.unique(np.frombuffer(hashes, "i8"))
        self._found = np.zeros(len(self._hashes), np.bool_)
        if not len(self._hashes):
            raise MediaError("invalid_media", "lists no member", name)

    def __contains__(self, member: object) -> bool:
        """Whether it is listed, which is noted."""
        wanted = hash(member)
        place = int(np.searchsorted(self._hashes, wanted))
        is_listed = place < len(self._hashes) and int(self._hashes[place]) == wanted
        if is_listed:
            self._found[place] = True
        return is_listed

    def frame_name(self, member: str) -> str:
        """What its frame is called."""
        return member.removeprefix(self._folder) or member

    def check_found(self) -> None:
        """MediaError unless each was asked for: to be called when all of the archive was seen."""
        if missing := int(np.count_nonzero(~self._found)):
            noun = "member that is" if missing == 1 else "members that are"
            raise MediaError("invalid_media", f"lists {missing} {noun} not in the archive", self._name)


def _lines(file: io.RawIOBase, name: str) -> Iterator[bytes]:
    reader = cast("BinaryIO", io.BufferedReader(file, 1 << 16))
    while line := reader.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            raise MediaError("invalid_media", f"has a line of more than {_LONGEST_LINE} bytes", name)
        yield line


def _member(line: bytes, number: int, name: str) -> str:
    try:
        member = json.loads(line)
    except ValueError:
        member = None
    if not isinstance(member, str) or not member:
        raise MediaError("invalid_media", f"line {number} is no JSON text with the name of a member", name)
    return member
