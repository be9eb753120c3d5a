"""Sizes that a manifest claims, checked when an image is first read: a lie fails loudly."""

from dataclasses import replace
from io import BytesIO

from yard.media.errors import MediaError
from yard.media.image_index import index_image
from yard.media.index_block import PAGE_METHODS, ImageAddress

CLAIMED = 0
"""Orientation of an image that nobody has opened: its size is a claim, its turn is not known."""


class ClaimError(MediaError):
    """An image is not what a manifest says of it."""


def confirmed(content: bytes, address: ImageAddress) -> ImageAddress:
    """The address with what the image's own header says; ClaimError names an image that is not as claimed."""
    if address.orientation != CLAIMED:
        return address
    try:
        pages = index_image(BytesIO(content), address.name)
    except MediaError as fault:
        raise MediaError(fault.code, fault.message, address.name) from fault
    if address.method not in PAGE_METHODS and len(pages) > 1:
        raise _lie(address, f"has {len(pages)} pages, but the manifest knows one image")
    if address.page >= len(pages):
        raise _lie(address, f"has {len(pages)} pages, but the manifest knows page {address.page}")
    found = pages[address.page]
    is_told = bool(address.width and address.height)
    if is_told and (found.width, found.height) != (address.width, address.height):
        claim = f"{address.width}x{address.height}"
        raise _lie(address, f"is {found.width}x{found.height} pixels, but the manifest says {claim}")
    return replace(address, width=found.width, height=found.height, orientation=found.orientation)


def _lie(address: ImageAddress, message: str) -> ClaimError:
    return ClaimError("invalid_media", message, address.name)
