"""A zip of stored members as a stream: equal frames give equal bytes, and each leaves once it is there."""

import struct
import zlib
from collections.abc import Iterable, Iterator

from yard.media.errors import MediaError

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_VERSION = 20
_MIDNIGHT, _FIRST_DAY = 0, (0 << 9) | (1 << 5) | 1
_LARGEST = (1 << 32) - 1
_MOST_MEMBERS = (1 << 16) - 1


def frame_name(position: int) -> str:
    """Name of the frame at a position (from 0) inside its chunk."""
    return f"{position:06d}.jpeg"


def zip_frames(frames: Iterable[bytes]) -> Iterator[bytes]:
    """Zip of JPEG frames, named by their position, as the frames come."""
    return zip_stored((frame_name(position), frame) for position, frame in enumerate(frames))


def zip_stored(members: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Zip of (name, bytes) members, uncompressed, dated 1980-01-01; one piece a member, then the directory.

    Below 4 GiB and 65,536 members.
    """
    offset = 0
    directory: list[bytes] = []
    for name, content in members:
        label, crc, size = name.encode(), zlib.crc32(content), len(content)
        if offset + size > _LARGEST or len(directory) == _MOST_MEMBERS:
            raise MediaError("limit", "a chunk is limited to 4 GiB and 65,535 frames")
        common = (_VERSION, 0, 0, _MIDNIGHT, _FIRST_DAY, crc, size, size, len(label), 0)
        yield b"".join((_LOCAL.pack(b"PK\x03\x04", *common), label, content))
        directory.append(_CENTRAL.pack(b"PK\x01\x02", _VERSION, *common, 0, 0, 0, 0, offset) + label)
        offset += _LOCAL.size + len(label) + size
    size = sum(map(len, directory))
    yield b"".join(
        (*directory, _END.pack(b"PK\x05\x06", 0, 0, len(directory), len(directory), size, offset, 0))
    )
