"""Very many given files in little memory."""

from array import array

from yard.media.lazy_sequence import LazySequence
from yard.media_ingest.domain.files import GivenFile, Place


class SharedFiles(LazySequence[GivenFile]):
    """Files of one share, about 70 bytes each."""

    def __init__(self, share: str) -> None:
        self._share = share
        self._paths = bytearray()
        self._ends: array[int] = array("Q")
        self._sizes: array[int] = array("Q")
        self._stamps: array[int] = array("Q")
        self._kinds = array("H")
        self._known: dict[tuple[str, str, str], int] = {}
        self._texts: list[tuple[str, str, str]] = []

    def add(
        self, path: str, size_bytes: int, family: str, form: str, trouble: str, *, stamp: int = 0
    ) -> None:
        """One more; there are few different kinds and troubles."""
        texts = (family, form, trouble)
        if texts not in self._known:
            self._known[texts] = len(self._texts)
            self._texts.append(texts)
        self._paths += path.encode()
        self._ends.append(len(self._paths))
        self._sizes.append(size_bytes)
        self._stamps.append(stamp)
        self._kinds.append(self._known[texts])

    def __len__(self) -> int:
        return len(self._ends)

    def item(self, number: int) -> GivenFile:
        """A file."""
        start = self._ends[number - 1] if number else 0
        path = self._paths[start : self._ends[number]].decode()
        size_bytes = self._sizes[number]
        family, form, trouble = self._texts[self._kinds[number]]
        return GivenFile(
            name=path,
            size_bytes=size_bytes,
            place=Place(key=path, size_bytes=size_bytes, share=self._share, stamp=self._stamps[number]),
            sha256="",
            family=family,
            format=form,
            trouble=trouble,
        )
