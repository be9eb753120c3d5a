"""What a file is by its first bytes; names and extensions are never asked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Family = Literal["image", "video", "archive", "document"]

HEAD_BYTES = 1024
"""Bytes at the start of a file that `sniff` wants to see; fewer are fine for short files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A recognised format, e.g. family "video", name "mp4"."""

    family: Family
    name: str


_PREFIXES: tuple[tuple[bytes, Family, str], ...] = (
    (b"\xff\xd8\xff", "image", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image", "png"),
    (b"GIF87a", "image", "gif"),
    (b"GIF89a", "image", "gif"),
    (b"II*\x00", "image", "tiff"),
    (b"MM\x00*", "image", "tiff"),
    (b"II+\x00", "image", "tiff"),
    (b"MM\x00+", "image", "tiff"),
    (b"%PDF-", "document", "pdf"),
    (b"PK\x03\x04", "archive", "zip"),
    (b"PK\x05\x06", "archive", "zip"),
    (b"\x1f\x8b\x08", "archive", "tar.gz"),
    (b"BZh", "archive", "tar.bz2"),
    (b"\xfd7zXZ\x00", "archive", "tar.xz"),
    (b"\x28\xb5\x2f\xfd", "archive", "tar.zst"),
    (b"FLV\x01", "video", "flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video", "asf"),
    (b"\x00\x00\x01\xba", "video", "mpeg"),
    (b"\x00\x00\x01\xb3", "video", "mpeg"),
    (b"DKIF", "video", "ivf"),
    (b"YUV4MPEG2 ", "video", "y4m"),
    (b"OggS", "video", "ogg"),
)
_STILL_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1", b"hevc")
_MOV_ATOMS = (b"moov", b"mdat", b"wide", b"pnot")


def sniff(head: bytes) -> Kind | None:
    """Recognises a format by the first `HEAD_BYTES` of a file; None for text and anything unknown."""
    for prefix, family, name in _PREFIXES:
        if head.startswith(prefix):
            return Kind(family=family, name=name)
    for test in _TESTS:
        kind = test(head)
        if kind is not None:
            return kind
    return None


def _riff(head: bytes) -> Kind | None:
    if head[:4] != b"RIFF":
        return None
    if head[8:12] == b"WEBP":
        return Kind(family="image", name="webp")
    return Kind(family="video", name="avi") if head[8:12] == b"AVI " else None


def _bmp(head: bytes) -> Kind | None:
    is_header = head[:2] == b"BM" and head[6:10] == bytes(4)
    is_known = head[14:18] in {n.to_bytes(4, "little") for n in (12, 40, 52, 56, 64, 108, 124)}
    return Kind(family="image", name="bmp") if is_header and is_known else None


def _iso_media(head: bytes) -> Kind | None:
    atom = head[4:8]
    if atom == b"ftyp":
        brand = head[8:12]
        if brand in _STILL_BRANDS:
            return Kind(family="image", name="heif")
        return Kind(family="video", name="mov" if brand == b"qt  " else "mp4")
    return Kind(family="video", name="mov") if atom in _MOV_ATOMS else None


def _matroska(head: bytes) -> Kind | None:
    if head[:4] != b"\x1aE\xdf\xa3":
        return None
    return Kind(family="video", name="webm" if b"webm" in head[:64] else "mkv")


def _transport_stream(head: bytes) -> Kind | None:
    for size, offset in ((188, 0), (192, 4)):
        syncs = head[offset::size]
        if len(syncs) >= 2 and set(syncs) == {0x47}:
            return Kind(family="video", name="ts")
    return None


def _tar(head: bytes) -> Kind | None:
    return Kind(family="archive", name="tar") if head[257:262] == b"ustar" else None


def _elementary_stream(head: bytes) -> Kind | None:
    """Raw H.264 or HEVC: a start code before a parameter set (or an access unit delimiter)."""
    start = 4 if head[:4] == b"\x00\x00\x00\x01" else 3 if head[:3] == b"\x00\x00\x01" else 0
    if not start or len(head) <= start:
        return None
    first = head[start]
    if first in {0x67, 0x27, 0x47, 0x09}:
        return Kind(family="video", name="h264")
    return Kind(family="video", name="hevc") if first in {0x40, 0x46} else None


_TESTS: tuple[Callable[[bytes], Kind | None], ...] = (
    _riff,
    _bmp,
    _iso_media,
    _matroska,
    _transport_stream,
    _tar,
    _elementary_stream,
)
