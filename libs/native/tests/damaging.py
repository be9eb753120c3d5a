"""A program: damages JPEGs in many ways and has the library at a path move them to coarser steps.

Whatever comes out must be a picture; nothing may touch memory that is not its own, or overflow.
"""

import io
import random
import sys
from ctypes import CDLL

from PIL import Image
from yard.media.jpeg_layout import jpeg_layout
from yard.media.jpeg_requantising import requantised
from yard.media.synthetic import scene
from yard.native import jpeg_scan


def use(path: str) -> None:
    """That library instead of the installed one."""
    library = CDLL(path)
    library.scan_requantise.argtypes = jpeg_scan._requantise.argtypes
    library.scan_free.argtypes, library.scan_free.restype = jpeg_scan._free.argtypes, None
    jpeg_scan._requantise, jpeg_scan._free = library.scan_requantise, library.scan_free


def jpegs() -> list[bytes]:
    """Small ones of each kind."""
    made = []
    for mode, quality, interval in (("RGB", 90, 0), ("RGB", 100, 2), ("L", 80, 0), ("L", 30, 5)):
        target = io.BytesIO()
        image = Image.fromarray(scene(70, 50)).convert(mode)
        image.save(target, "JPEG", quality=quality, subsampling="4:2:0", restart_marker_blocks=interval)
        made.append(target.getvalue())
    return made


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Bytes changed, taken out, or put in; half of the time only in the data."""
    begin = chance.choice((2, jpeg_layout(content).scan + 8))
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(begin, len(changed))
        kind = chance.randrange(4)
        if kind == 0:
            del changed[place : place + chance.randint(1, 9)]
        elif kind == 1:
            changed[place:place] = chance.randbytes(chance.randint(1, 9))
        else:
            changed[place] = chance.choice(
                (0, 0xFF, changed[place] ^ 1 << chance.randrange(8), chance.randrange(256))
            )
    return bytes(changed)


def main() -> None:
    """Arguments: the library, and how many pictures."""
    use(sys.argv[1])
    chance, sources, moved = random.Random(3), jpegs(), 0
    for number in range(int(sys.argv[2])):
        content = damaged(sources[number % len(sources)], chance)
        made = requantised(content, jpeg_layout(content), chance.choice((5, 70, 95)))
        if made is not None:
            moved += 1
            Image.open(io.BytesIO(made)).load()
    print(moved)


if __name__ == "__main__":
    main()
