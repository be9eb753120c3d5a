"""The header blocks of a tar: ustar, GNU and pax."""

from dataclasses import dataclass, field, replace

from yard.media.errors import MediaError

BLOCK = 512

_FILE_TYPES = frozenset((b"0", b"\0", b"7"))
_FOLDER, _LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL, _PAX_SUN = b"5", b"L", b"K", b"x", b"g", b"X"
_OLD_SPARSE = b"S"
_EXTENSIONS = frozenset((_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL, _PAX_SUN))
# Links, devices and pipes have no content, whatever their size says.
_WITHOUT_CONTENT = frozenset((b"1", b"2", b"3", b"4", b"5", b"6"))
_PAX_SPARSE = ("GNU.sparse.major", "GNU.sparse.size", "GNU.sparse.map", "GNU.sparse.name")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderBlock:
    """One header; `size` bytes of content follow, filled up to whole blocks."""

    name: bytes
    size: int
    kind: bytes
    is_sparse: bool = False
    has_hole_map: bool = False
    """Blocks with a map of holes follow before the content, see `ends_with_more`."""

    @property
    def is_file(self) -> bool:
        """A regular file without holes."""
        return self.kind in _FILE_TYPES and not self.is_sparse

    @property
    def is_folder(self) -> bool:
        """A directory."""
        return self.kind == _FOLDER

    @property
    def is_extension(self) -> bool:
        """Its content is about the member that follows, or about all."""
        return self.kind in _EXTENSIONS


def parse_block(block: bytes, *, is_first: bool = False) -> HeaderBlock:
    """A header of 512 bytes; MediaError if its checksum is wrong."""
    told = _octal(block[148:156])
    with_blank = block[:148] + b" " * 8 + block[156:]
    # Some old writers took bytes for signed numbers.
    if told != sum(with_blank) and told != sum(memoryview(with_blank).cast("b")):
        raise MediaError("invalid_media", "is no tar" if is_first else "is a tar with a damaged header")
    kind = block[156:157]
    size = _number(block[124:136])
    name = block[:100].partition(b"\0")[0]
    if block[257:263] == b"ustar\0":
        prefix = block[345:500].partition(b"\0")[0]
        name = prefix + b"/" + name if prefix else name
    return HeaderBlock(
        name=name,
        size=0 if kind in _WITHOUT_CONTENT else size,
        kind=kind,
        has_hole_map=kind == _OLD_SPARSE and block[482] != 0,
    )


def ends_with_more(block: bytes) -> bool:
    """Whether a block of a map of holes is followed by another one."""
    return len(block) == BLOCK and block[504] != 0


@dataclass(slots=True)
class TarNames:
    """What extension headers say about the member that follows."""

    _common: dict[str, bytes] = field(default_factory=dict)
    _next: dict[str, bytes] = field(default_factory=dict)
    _long_name: bytes | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing is said about what follows."""
        return not self._common and not self._next and self._long_name is None

    def add(self, block: HeaderBlock, content: bytes) -> None:
        """The content of an extension."""
        if block.kind == _LONG_NAME:
            self._long_name = content.partition(b"\0")[0]
        elif block.kind == _PAX_GLOBAL:
            self._common.update(_pax(content))
        elif block.kind in {_PAX, _PAX_SUN}:
            self._next.update(_pax(content))

    def applied_to(self, block: HeaderBlock) -> tuple[HeaderBlock, str]:
        """The member with its real size and name; forgets what was said about it."""
        fields = {**self._common, **self._next}
        raw = fields.get("path") or self._long_name or block.name
        size = block.size
        if block.kind not in _WITHOUT_CONTENT and "size" in fields:
            size = _decimal(fields["size"])
        is_sparse = any(key in fields for key in _PAX_SPARSE)
        self._next, self._long_name = {}, None
        return replace(block, size=size, is_sparse=is_sparse), _text(raw)


def _pax(content: bytes) -> dict[str, bytes]:
    """Records `length key=value`; only the keys that count are kept."""
    fields: dict[str, bytes] = {}
    at = 0
    while at < len(content) and content[at]:
        blank = content.find(b" ", at, at + 20)
        length = _decimal(content[at:blank]) if blank > at else 0
        record = content[blank + 1 : at + length]
        key, equals, value = record.partition(b"=")
        if not equals or not value.endswith(b"\n") or at + length > len(content):
            raise MediaError("invalid_media", "is a tar with a damaged pax header")
        name = key.decode("utf-8", "replace")
        if name in {"path", "size"} or name in _PAX_SPARSE:
            fields[name] = value[:-1]
        at += length
    return fields


def _number(content: bytes) -> int:
    """Octal digits, or binary if the first bit is set."""
    if content[0] == 0x80:
        return int.from_bytes(content[1:], "big")
    return _octal(content)


def _octal(content: bytes) -> int:
    text = content.partition(b"\0")[0].strip(b" ")
    if any(digit not in b"01234567" for digit in text):
        raise MediaError("invalid_media", "is no tar, or one with a damaged header")
    return int(text or b"0", 8)


def _decimal(content: bytes) -> int:
    if not content.isdigit() or len(content) > 20:
        raise MediaError("invalid_media", "is a tar with a damaged pax header")
    return int(content)


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp437")
