"""The frames of a file inside an archive, from its first bytes."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from yard.media.byte_window import FileWindow, HeadWindow, Window
from yard.media.errors import MediaError
from yard.media.gif_header import gif_pages
from yard.media.image_facts import ImageFacts, ImageLimits
from yard.media.image_header import FIRST_BYTES, parse_header, read_header
from yard.media.image_index import index_image
from yard.media.index_block import ImageAddress, Method
from yard.media.sniff import HEAD_BYTES, sniff
from yard.media.tiff_header import tiff_pages

MOST_HEAD_BYTES = 1 << 20
"""What is taken onwards to find the size of an image whose bytes could also be read in any order."""
MOST_HELD_BYTES = 64 << 20
"""The longest file that is held in memory, where nothing else helps."""

_OTHERS = {
    "archive": "is an archive inside an archive, which is not unpacked",
    "video": "is a video inside an archive: give it by itself",
    "document": "is a document inside an archive: give it by itself",
}
_PAGE_METHODS: dict[str, Method] = {"stored": "stored_page", "deflated": "deflated_page"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file of an archive; `length` bytes at `offset` of that are its content as `method` says."""

    name: str
    size: int
    offset: int
    length: int
    method: Literal["stored", "deflated"]
    head: Callable[[int], bytes]
    """Its first bytes, all of a shorter one."""
    aside: io.RawIOBase | None = None
    """What a stored file can also be read from, in any order."""


def member_frames(member: Member, limits: ImageLimits) -> list[ImageAddress]:
    """The image, or each page (named `name/000000.png` and on); MediaError, without the label, for others."""
    if not member.size:
        raise MediaError("invalid_media", "is empty")
    try:
        facts = _facts(member, limits)
    except MediaError as fault:
        kind = sniff(member.head(HEAD_BYTES))
        if kind is not None and kind.name == "heif":
            return [
                _address(member, found)
                for found in index_image(io.BytesIO(_whole(member)), member.name, limits)
            ]
        if kind is not None and kind.family in _OTHERS:
            raise MediaError("unsupported", _OTHERS[kind.family]) from fault
        raise
    if facts.pages == 1:
        width, height = facts.upright
        return [
            _address(
                member,
                ImageAddress(name=member.name, width=width, height=height, orientation=facts.orientation),
            )
        ]
    return [*_pages(member, facts, limits)]


def _facts(member: Member, limits: ImageLimits) -> ImageFacts:
    """By a head that grows; beyond it in any order, or with all of the file in memory."""
    wanted = min(FIRST_BYTES, member.size)
    while wanted <= MOST_HEAD_BYTES:
        is_whole = wanted >= member.size
        found = parse_header(member.head(wanted), is_whole=is_whole, limits=limits)
        if isinstance(found, ImageFacts) and (is_whole or found.pages is not None):
            return found
        needed = 0 if isinstance(found, ImageFacts) else found.size
        wanted = min(max(needed, 2 * wanted), member.size)
    if member.aside is not None:
        return read_header(member.aside, offset=member.offset, size=member.size, limits=limits)
    return read_header(io.BytesIO(_whole(member)), limits=limits)


def _pages(member: Member, facts: ImageFacts, limits: ImageLimits) -> Iterator[ImageAddress]:
    window: Window
    if member.aside is not None:
        window = FileWindow(member.aside, member.offset, member.size)
    else:
        window = HeadWindow(_whole(member), is_whole=True)
    pages = (tiff_pages if facts.format == "tiff" else gif_pages)(window, limits)
    for number, page in enumerate(pages):
        width, height = page.upright
        name = f"{member.name}/{number:06d}.png"
        yield _address(member, ImageAddress(name=name, width=width, height=height, page=number), is_page=True)


def _whole(member: Member) -> bytes:
    if member.size > MOST_HELD_BYTES:
        most = MOST_HELD_BYTES >> 20
        raise MediaError("limit", f"is packed and longer than {most} MiB, and tells its size at its end only")
    return member.head(member.size)


def _address(member: Member, found: ImageAddress, *, is_page: bool = False) -> ImageAddress:
    return ImageAddress(
        name=found.name,
        width=found.width,
        height=found.height,
        offset=member.offset,
        length=member.length,
        size=member.size,
        page=found.page,
        method=_PAGE_METHODS[member.method] if is_page else member.method,
        orientation=found.orientation,
    )
