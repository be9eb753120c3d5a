"""The entropy-coded segment of a sequential JPEG, moved to coarser quantisation steps without its pixels.

Each coefficient is read, divided anew and written, with Huffman tables made for what came out. What is lost
is what rounding to the coarser steps loses: there is no transform, no colour and no clipping on the way.
Source: ITU-T T.81, annexes F and K.
"""

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_COMPONENTS, _BLOCKS, _STEPS, _TABLES = 3, 10, 64, 4
_DONE, _NO_MEMORY = 0, 3


@dataclass(frozen=True, slots=True)
class Codes:
    """A Huffman table as it stands in a DHT segment."""

    counts: bytes
    """How many codes there are of 1 to 16 bits."""
    symbols: bytes


@dataclass(frozen=True, slots=True)
class Component:
    """How one of up to three is kept; steps are 64 in zigzag order, those of `coarser` nowhere finer."""

    blocks: int
    """Of an MCU."""
    dc: int
    ac: int
    """The numbers of its tables, 0 to 3."""
    steps: Sequence[int]
    coarser: Sequence[int]


@dataclass(frozen=True, slots=True)
class Scan:
    """What stands before the segment, which begins at `offset`."""

    offset: int
    units: int
    """MCUs of the whole image."""
    restart_interval: int
    """MCUs between two markers, 0 if there are none."""
    components: Sequence[Component]
    dc_codes: Mapping[int, Codes]
    ac_codes: Mapping[int, Codes]


@dataclass(frozen=True, slots=True)
class CoarserScan:
    """The new segment, without restart markers, and the tables it is written with.

    The first component has tables of its own, DC and AC; then come those of the others.
    """

    codes: tuple[Codes, Codes, Codes, Codes]
    content: bytes


class _Codes(ctypes.Structure):
    _fields_ = (("counts", ctypes.c_uint8 * 16), ("symbols", ctypes.c_uint8 * 256))


class _Source(ctypes.Structure):
    _fields_ = (
        ("units", ctypes.c_uint32),
        ("restart_interval", ctypes.c_uint32),
        ("blocks", ctypes.c_uint32),
        ("component", ctypes.c_uint8 * _BLOCKS),
        ("dc", ctypes.c_uint8 * _COMPONENTS),
        ("ac", ctypes.c_uint8 * _COMPONENTS),
        ("steps", ctypes.c_uint16 * _STEPS * _COMPONENTS),
        ("coarser", ctypes.c_uint16 * _STEPS * _COMPONENTS),
        ("dc_codes", _Codes * _TABLES),
        ("ac_codes", _Codes * _TABLES),
    )


class _Result(ctypes.Structure):
    _fields_ = (
        ("bytes", ctypes.POINTER(ctypes.c_uint8)),
        ("size", ctypes.c_size_t),
        ("codes", _Codes * _TABLES),
    )


_library = ctypes.CDLL(str(Path(__file__).with_name("_frameyard.so")))
_requantise = _library.scan_requantise
_requantise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.POINTER(_Source), ctypes.POINTER(_Result))
_free = _library.scan_free
_free.argtypes, _free.restype = (ctypes.POINTER(ctypes.c_uint8),), None


def requantise(content: bytes, scan: Scan) -> CoarserScan | None:
    """The segment with the coarser steps; None if it is damaged, or denser than its pixels.

    Takes no more memory than twice the content and 3 bytes a pixel.
    """
    source, result = _source(scan), _Result()
    address = ctypes.cast(ctypes.c_char_p(content), ctypes.c_void_p).value or 0
    status = _requantise(address + scan.offset, len(content) - scan.offset, source, result)
    if status == _NO_MEMORY:
        raise MemoryError
    if status != _DONE:
        return None
    try:
        written = ctypes.string_at(result.bytes, result.size)
    finally:
        _free(result.bytes)
    first, second, third, fourth = (_codes(table) for table in result.codes)
    return CoarserScan(codes=(first, second, third, fourth), content=written)


def _source(scan: Scan) -> _Source:
    source = _Source(units=scan.units, restart_interval=scan.restart_interval)
    blocks = [number for number, component in enumerate(scan.components) for _ in range(component.blocks)]
    source.blocks = len(blocks)
    source.component[: len(blocks)] = blocks
    for number in range(_COMPONENTS):
        component = scan.components[min(number, len(scan.components) - 1)]
        source.dc[number], source.ac[number] = component.dc, component.ac
        source.steps[number][:] = component.steps
        source.coarser[number][:] = component.coarser
    for codes, tables in ((scan.dc_codes, source.dc_codes), (scan.ac_codes, source.ac_codes)):
        for number, table in codes.items():
            tables[number] = _Codes.from_buffer_copy(table.counts + table.symbols.ljust(256, b"\0"))
    return source


def _codes(table: _Codes) -> Codes:
    counts = bytes(table.counts)
    return Codes(counts=counts, symbols=bytes(table.symbols)[: sum(counts)])
