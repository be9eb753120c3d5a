"""Files that are made to harm."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping

from services.media_ingest.tests.contents import photo

SLIPPING = ("../up.jpg", "a/../../up.jpg", "/etc/up.jpg", "C:\\up.jpg", "a\\..\\..\\up.jpg", "a\x07b.jpg")


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo("x")
            entry.filename, entry.compress_type = name, method
            archive.writestr(entry, content)
    return target.getvalue()


def tarred(*entries: tarfile.TarInfo, files: Mapping[str, bytes] | None = None) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for entry in entries:
            archive.addfile(entry)
        for name, content in (files or {}).items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return target.getvalue()


def linked_zip() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        link = zipfile.ZipInfo("passwd.jpg")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("ok.jpg", photo())
    return target.getvalue()


def linked_tar() -> bytes:
    entries = []
    for name, kind in (
        ("soft.jpg", tarfile.SYMTYPE),
        ("hard.jpg", tarfile.LNKTYPE),
        ("device.jpg", tarfile.CHRTYPE),
        ("pipe.jpg", tarfile.FIFOTYPE),
    ):
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, "/etc/passwd"
        entries.append(entry)
    return tarred(*entries, files={"ok.jpg": photo()})


def overlapping() -> bytes:
    """Two entries of the directory share the bytes of one member."""
    content = bytearray(zipped({"a.jpg": photo(), "b.jpg": photo(1)}))
    first = content.index(b"PK\1\2")
    second = content.index(b"PK\1\2", first + 4)
    content[second + 42 : second + 46] = content[first + 42 : first + 46]
    return bytes(content)


def lying() -> bytes:
    """The directory promises more bytes than there are."""
    content = bytearray(zipped({"a.jpg": photo(), "b.jpg": photo(1)}))
    entry = content.index(b"PK\1\2")
    content[entry + 20 : entry + 28] = struct.pack("<II", 1 << 31, 1 << 31)
    return bytes(content)


def encrypted() -> bytes:
    content = bytearray(zipped({"a.jpg": photo()}))
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(mark) + offset] |= 1
    return bytes(content)


def bomb(packing: str, size: int = 200 << 20) -> bytes:
    """Blank bytes behind the header of a bitmap."""
    blank = photo(form="BMP")[:54] + bytes(size)
    if packing == "zip":
        return zipped({"blank.bmp": blank}, zipfile.ZIP_DEFLATED)
    packers: dict[str, Callable[[bytes], bytes]] = {
        "gz": gzip.compress,
        "bz2": bz2.compress,
        "xz": lzma.compress,
    }
    return packers[packing](tarred(files={"blank.bmp": blank}))


def nested(levels: int) -> bytes:
    content = zipped({"deep.jpg": photo()})
    for _ in range(levels):
        content = zipped({"inner.zip": content}, zipfile.ZIP_DEFLATED)
    return content


def png_of(width: int, height: int, extra: bytes = b"") -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + extra
        + chunk(b"IDAT", zlib.compress(bytes(100)))
        + chunk(b"IEND", b"")
    )


def gif_of(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + b",\0\0\0\0\1\0\1\0\0\2\2L\1\0;"


def tiff_of(entries: int, next_offset: int = 0) -> bytes:
    fields = b"".join(struct.pack("<HHII", tag, 4, 1, 0xFFFFFFFF) for tag in range(256, 256 + entries))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", entries) + fields + struct.pack("<I", next_offset)


def jpeg_of(width: int, height: int) -> bytes:
    """The size of a picture is replaced."""
    content = bytearray(photo())
    frame = content.index(b"\xff\xc0\x00\x11\x08")
    content[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def pdf_of(box: str, count: int = 1) -> bytes:
    body = (
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        f"2 0 obj<</Type/Pages/Kids[3 0 R]/Count {count}>>endobj\n"
        f"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox {box}>>endobj\n"
        "trailer<</Root 1 0 R>>\n%%EOF\n"
    )
    return body.encode()
