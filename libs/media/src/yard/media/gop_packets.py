"""What packets say of themselves without being decoded: whether they are whole, and decode from the first on.

H.264 and HEVC packets must consist of whole units from end to end, begin with a picture that refers to
nothing before it, and bring no parameters that the container does not hold as well: who enters in the middle
of the file knows only those of the container. Damage inside of a picture's data is seen by decoding alone.
"""

from collections.abc import Callable, Iterator

Check = Callable[[memoryview, bool], str]
"""Takes a packet and whether it is the first of the run; returns what is wrong with it, or nothing."""

_H264_IDR, _H264_PARAMETERS, _H264_PICTURES = 5, {7, 8}, {1, 5}
_HEVC_ENTRIES, _HEVC_PARAMETERS, _HEVC_SKIPPED = range(16, 22), {32, 33, 34}, {8, 9}
_HEVC_PICTURES = range(32)
_AV1_SEQUENCE = 1


def check_for(codec: str, parameters: bytes) -> Check | None:
    """The check for a codec with the parameters that the container holds; None if their form is unknown."""
    match codec:
        case "h264" if len(parameters) > 6 and parameters[0] == 1:
            return _h264(parameters, (parameters[4] & 3) + 1)
        case "hevc" if len(parameters) > 22 and parameters[0] == 1:
            return _hevc(parameters, (parameters[21] & 3) + 1)
        case "vp9" | "libvpx-vp9":
            return _vp9
        case "av1" | "libdav1d" | "libaom-av1" if parameters:
            return _av1
    return None


def _h264(parameters: bytes, prefix: int) -> Check:
    def check(packet: memoryview, is_first: bool) -> str:
        try:
            units = [(unit[0] & 31, unit) for unit in _units(packet, prefix)]
        except ValueError as fault:
            return str(fault)
        kinds = {kind for kind, _ in units}
        if not kinds & _H264_PICTURES:
            return "has no picture"
        if is_first and not (_H264_IDR in kinds and 1 not in kinds):
            return "does not begin with a picture that needs no other"
        if any(kind in _H264_PARAMETERS and bytes(unit) not in parameters for kind, unit in units):
            return "changes its parameters"
        return ""

    return check


def _hevc(parameters: bytes, prefix: int) -> Check:
    def check(packet: memoryview, is_first: bool) -> str:
        try:
            units = [(unit[0] >> 1 & 63, unit) for unit in _units(packet, prefix)]
        except ValueError as fault:
            return str(fault)
        pictures = {kind for kind, _ in units if kind in _HEVC_PICTURES}
        if not pictures or pictures & _HEVC_SKIPPED:
            return "has no picture that always decodes"
        if is_first and not pictures <= set(_HEVC_ENTRIES):
            return "does not begin with a picture that needs no other"
        if any(kind in _HEVC_PARAMETERS and bytes(unit) not in parameters for kind, unit in units):
            return "changes its parameters"
        return ""

    return check


def _units(packet: memoryview, prefix: int) -> Iterator[memoryview]:
    """Units behind their lengths; ValueError if they do not fill the packet."""
    position = 0
    while position < len(packet):
        length = int.from_bytes(packet[position : position + prefix])
        start, position = position + prefix, position + prefix + length
        if not length or position > len(packet) or packet[start] & 0x80:
            raise ValueError("is damaged")
        yield packet[start:position]


def _vp9(packet: memoryview, is_first: bool) -> str:
    first = packet[0]
    if first >> 6 != 2:
        return "is damaged"
    profile = (first >> 5 & 1) | (first >> 4 & 1) << 1
    # The next bits are `show_existing_frame` and `frame_type`, 0 for key frames.
    shown_type = first >> (1 if profile == 3 else 2) & 3
    return "does not begin with a picture that needs no other" if is_first and shown_type else ""


def _av1(packet: memoryview, is_first: bool) -> str:
    try:
        kinds = list(_obu_kinds(packet))
    except (ValueError, IndexError):
        return "is damaged"
    if is_first and _AV1_SEQUENCE not in kinds:
        return "does not begin with a picture that needs no other"
    return ""


def _obu_kinds(packet: memoryview) -> Iterator[int]:
    position = 0
    while position < len(packet):
        header = packet[position]
        if header & 0x80:
            raise ValueError("is damaged")
        yield header >> 3 & 15
        if not header & 2:
            return
        position += 2 if header & 4 else 1
        length = shift = 0
        while True:
            byte = packet[position]
            position += 1
            length |= (byte & 127) << shift
            shift += 7
            if not byte & 128 or shift > 56:
                break
        position += length
    if position > len(packet):
        raise ValueError("is damaged")
