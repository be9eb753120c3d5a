"""Coefficients of small sequential JPEGs, read bit by bit as ITU-T T.81 says: what the fast way must give."""

from collections.abc import Iterator
from dataclasses import dataclass, field

Codes = dict[tuple[int, int], int]


@dataclass(slots=True)
class Parts:
    """A JPEG in its parts; `components` are number, blocks of an MCU, and numbers of steps and of codes."""

    size: tuple[int, int] = (0, 0)
    steps: dict[int, bytes] = field(default_factory=dict)
    tables: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)
    components: list[tuple[int, int, int, int]] = field(default_factory=list)
    restart_interval: int = 0
    data: int = 0


def parts_of(content: bytes) -> Parts:
    """The segments before the data; everything of one scan."""
    parts, frame, scan = Parts(data=2), b"", b""
    while not scan:
        marker, length = content[parts.data + 1], int.from_bytes(content[parts.data + 2 : parts.data + 4])
        body = content[parts.data + 4 : parts.data + 2 + length]
        parts.data += 2 + length
        if marker == 0xDB:
            parts.steps.update((body[at], body[at + 1 : at + 65]) for at in range(0, len(body), 65))
        elif marker == 0xC4:
            parts.tables.update(_tables(body))
        elif marker == 0xDD:
            parts.restart_interval = int.from_bytes(body)
        elif marker in {0xC0, 0xC1}:
            frame = body
        elif marker == 0xDA:
            scan = body
    parts.size = (int.from_bytes(frame[3:5]), int.from_bytes(frame[1:3]))
    parts.components = _components(frame, scan)
    return parts


def _tables(body: bytes) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
    while body:
        count = sum(body[1:17])
        yield body[0], (body[1:17], body[17 : 17 + count])
        body = body[17 + count :]


def _components(frame: bytes, scan: bytes) -> list[tuple[int, int, int, int]]:
    of_frame = {frame[at]: (frame[at + 1], frame[at + 2]) for at in range(6, len(frame), 3)}
    of_scan = [(scan[at], scan[at + 1]) for at in range(1, len(scan) - 3, 2)]
    found = []
    for number, codes in of_scan:
        sampling, steps = of_frame[number]
        blocks = 1 if len(of_scan) == 1 else (sampling >> 4) * (sampling & 15)
        found.append((number, blocks, steps, codes))
    return found


def coefficients(content: bytes) -> Iterator[tuple[int, list[int]]]:
    """Place of a component and its 64 coefficients, in zigzag order and in steps, block after block."""
    parts = parts_of(content)
    codes = {number: _codes(*table) for number, table in parts.tables.items()}
    side = 8 if len(parts.components) == 1 else 16
    units = -(-parts.size[0] // side) * -(-parts.size[1] // side)
    intervals = _intervals(content[parts.data :])
    for first in range(0, units, parts.restart_interval or units):
        bits, before = _bits(next(intervals)), [0] * len(parts.components)
        for _ in range(min(parts.restart_interval or units, units - first)):
            for place, (_, blocks, _, numbers) in enumerate(parts.components):
                for _ in range(blocks):
                    block = _block(bits, codes[numbers >> 4], codes[16 | numbers & 15])
                    block[0] = before[place] = before[place] + block[0]
                    yield place, block


def _intervals(data: bytes) -> Iterator[bytes]:
    """What lies between markers, without stuffed zeros."""
    begin = 0
    while True:
        end = data.index(b"\xff", begin)
        while data[end + 1] == 0:
            end = data.index(b"\xff", end + 2)
        yield data[begin:end].replace(b"\xff\0", b"\xff")
        begin = end + 2


def _codes(counts: bytes, symbols: bytes) -> Codes:
    codes, code, left = {}, 0, iter(symbols)
    for length, count in enumerate(counts, 1):
        for _ in range(count):
            codes[length, code] = next(left)
            code += 1
        code <<= 1
    return codes


def _bits(data: bytes) -> Iterator[int]:
    for byte in data:
        for shift in range(7, -1, -1):
            yield byte >> shift & 1


def _block(bits: Iterator[int], dc: Codes, ac: Codes) -> list[int]:
    block = [0] * 64
    block[0] = _value(bits, _symbol(bits, dc))
    at = 1
    while at < 64:
        symbol = _symbol(bits, ac)
        if symbol == 0:
            break
        at += symbol >> 4
        block[at] = _value(bits, symbol & 15)
        at += 1
    return block


def _symbol(bits: Iterator[int], codes: Codes) -> int:
    code = 0
    for length in range(1, 17):
        code = code << 1 | next(bits)
        if (length, code) in codes:
            return codes[length, code]
    raise AssertionError("no code")


def _value(bits: Iterator[int], size: int) -> int:
    value = 0
    for _ in range(size):
        value = value << 1 | next(bits)
    return value if not size or value >> (size - 1) else value - (1 << size) + 1
