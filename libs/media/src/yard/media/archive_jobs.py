"""Indexing of archives and documents as jobs of child processes: batches leave as soon as they are full.

All take the source "file" and the arguments `name` (its label), `limits` (see `limits_of`) and `done`, the
number of results, taken or left out, that earlier batches hold: these are passed over. A batch ends with
`batch_files` results, or as soon as its pack has `pack_bytes`. Its result has files (results in it), count
(frames in its block), skipped (name and reason) and is_last. Results whose numbers are in `deadly` are left
out unread; if `is_careful`, a message goes before each member that is read and another after it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import RawIOBase
from typing import Any

from yard.media.archive_batches import Batches, StreamedMember
from yard.media.budget import ArchiveLimits, Skipped
from yard.media.byte_window import read_fully
from yard.media.errors import MediaError
from yard.media.image_facts import ImageLimits
from yard.media.index_block import FRAMES_PER_BLOCK, PAGE_METHODS, ImageAddress, decode_frames
from yard.media.job_host import Arguments, Host
from yard.media.member_frames import Member
from yard.media.member_list import MemberList
from yard.media.pdf_pages import PdfLimits, PdfPages
from yard.media.tar_members import TarPlace, TarReader
from yard.media.zip_index import ZipEntry, read_zip


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an archive and each image in it may be."""

    archive: ArchiveLimits
    images: ImageLimits


def limits_of(arguments: Arguments) -> Limits:
    """From the argument `limits`: those of archives (see ArchiveLimits), and pixels and pages of an image."""
    given: Mapping[str, int] = arguments["limits"]
    images = ("pixels", "pages")
    return Limits(
        archive=ArchiveLimits(**{name: given[name] for name in given if name not in images}),
        images=ImageLimits(pixels=given["pixels"], pages=min(given["pages"], FRAMES_PER_BLOCK)),
    )


def index_zip(arguments: Arguments, host: Host) -> dict[str, Any]:
    """Emits batches of the images of a zip, addressed inside it.

    With the argument `members`, the label of a list and the folder to cut off, only those of the source
    "members" are taken (see MemberList); all others are passed over and are no results.
    """
    limits = limits_of(arguments)
    batches = Batches(host, arguments)
    members = _members(arguments, host)
    with _named(arguments), host.open("file") as file, host.open("file") as aside:
        size = file.seek(0, 2) or 1
        for number, found in enumerate(_entries(file, arguments, limits, members), arguments["done"]):
            if isinstance(found, Skipped):
                batches.skip(found.name, found.reason)
                continue
            with batches.trying(number, found.name) as is_harmless:
                if is_harmless:
                    name = members.frame_name(found.name) if members else found.name
                    batches.index(_zipped(found, name, aside), limits.images)
            host.progress(min(0.99, found.offset / size))
        if members:
            members.check_found()
        return batches.end()


def _members(arguments: Arguments, host: Host) -> MemberList | None:
    wanted = arguments.get("members")
    if wanted is None:
        return None
    name, folder = wanted
    with host.open("members") as file:
        return MemberList(file, name, folder, most=arguments["limits"]["members"])


def _entries(
    file: RawIOBase, arguments: Arguments, limits: Limits, members: MemberList | None
) -> Iterator[ZipEntry | Skipped]:
    return read_zip(file, limits.archive, passed=arguments["done"], wanted=members)


def _zipped(found: ZipEntry, name: str, aside: RawIOBase) -> Member:
    return Member(
        name=name,
        size=found.size,
        offset=found.offset,
        length=found.length,
        method=found.method,
        head=found.head,
        aside=aside if found.method == "stored" else None,
    )


def index_tar(arguments: Arguments, host: Host) -> dict[str, Any]:
    """Emits batches of the images of a tar: addressed inside it or, if it is packed, with the bytes of packs.

    The argument `packs` is the number of batches before, as which the packs are numbered in addresses. The
    result of a batch has `place`, where the next one begins, or None; `place` as an argument begins there,
    and not with the first member, with the frame blocks of the batches before as the source "kept", whose
    lengths are the argument `kept_bytes`.
    """
    limits = limits_of(arguments)
    with _named(arguments), host.open("file") as file, host.open("file") as aside:
        size = file.seek(0, 2) or 1
        reader = _reader(arguments, host, file, limits)
        batches = Batches(host, arguments, packs=arguments["packs"] if reader.is_packed else 0)
        for number, found in enumerate(reader, arguments["done"] if arguments["place"] else 0):
            if number < arguments["done"]:
                continue
            batches.place = reader.place
            if isinstance(found, Skipped):
                batches.skip(found.name, found.reason)
                continue
            with batches.trying(number, found.name) as is_harmless:
                if is_harmless and reader.is_packed:
                    batches.store(StreamedMember(found), limits.images)
                elif is_harmless:
                    assert found.offset is not None
                    batches.index(StreamedMember(found).member(found.offset, aside), limits.images)
            host.progress(min(0.99, file.tell() / size))
        return batches.end()


def _reader(arguments: Arguments, host: Host, file: RawIOBase, limits: Limits) -> TarReader:
    if arguments["place"] is None:
        return TarReader(file, limits.archive)
    names = (name for block in _blocks(arguments, host) for name in _members_in(block))
    return TarReader(file, limits.archive, behind=TarPlace(**arguments["place"]), names=names)


def _blocks(arguments: Arguments, host: Host) -> Iterator[bytes]:
    with host.open("kept") as kept:
        for length in arguments["kept_bytes"]:
            yield read_fully(kept, length)


def _members_in(block: bytes) -> Iterator[str]:
    """Names of the files of a frame block, once for each page."""
    for frame in decode_frames(block):
        yield frame.name.rpartition("/")[0] if frame.method in PAGE_METHODS else frame.name


def index_pdf(arguments: Arguments, host: Host) -> dict[str, Any]:
    """Emits one batch of all pages, named `name/000000.png` and on; the argument `dpi` gives their sizes."""
    limits = PdfLimits(
        dpi=arguments["dpi"],
        pages=min(FRAMES_PER_BLOCK, arguments["limits"]["pages"]),
        pixels=arguments["limits"]["pixels"],
    )
    batches = Batches(host, arguments)
    with _named(arguments), host.open("file") as file, PdfPages(file, limits) as pages:
        frames = []
        for page in range(pages.count):
            width, height = pages.size(page)
            name = f"{arguments['name']}/{page:06d}.png"
            frames.append(ImageAddress(name=name, width=width, height=height, page=page, method="page"))
        batches.take(frames)
        return batches.end()


@contextmanager
def _named(arguments: Arguments) -> Iterator[None]:
    """What is wrong with the file as a whole is told with its label."""
    try:
        yield
    except MediaError as fault:
        raise MediaError(fault.code, fault.message, fault.name or arguments["name"]) from fault
