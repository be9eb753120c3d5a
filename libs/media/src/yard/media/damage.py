"""Which pictures of a stream with faults cannot be trusted, though the decoder gives them out.

Decoders go on with what they have: pictures that build upon a damaged one show old or torn content without a
word. So a fault counts from its picture on to the next key frame, unless no other picture builds upon it.
"""

from typing import Any

import av
from yard.media.video_index import VideoIndex

LOST = "its picture does not decode"
_HARMED = "its data is damaged"
_FOLLOWS = "it builds upon a damaged frame"
_BRIEF = frozenset({"mpeg1video", "mpeg2video", "mpeg4", "wmv1", "wmv2", "flv1"})
"""Codecs in which no picture builds upon a B picture."""
_B = 3


class Damage:
    """Follows one pass of a decoder, packet by packet in its order, picture by picture in theirs."""

    def __init__(self, index: VideoIndex, decoder: str) -> None:
        self._index = index
        # Decoders from outside of FFmpeg have threads of their own: who knows of which packet they complain.
        self._is_late = decoder.startswith("lib")
        self._is_spoilt = False
        self._spoilt: set[int] = set()
        self._spare: set[int] = set()
        self._key_pts = 0
        self._group, self._since = -1, 0
        """The group of pictures that is not to be trusted, from the frame of this number on."""

    def sent(self, packet: "av.Packet[Any]") -> None:
        """The next packet goes to the decoder."""
        if packet.pts is None:
            return
        if packet.is_keyframe:
            self._is_spoilt, self._key_pts = False, packet.pts
        elif self._is_spoilt:
            self._spoilt.add(packet.pts)
        if packet.is_disposable or (self._index.codec == "h264" and _is_spare_h264(bytes(packet))):
            self._spare.add(packet.pts)

    def failed(self, packet: "av.Packet[Any]") -> None:
        """The decoder complained of it, or of one shortly before; key frames put an end to that."""
        if packet.pts is None or packet.pts <= self._key_pts or self._is_late:
            return
        self._spoilt.add(packet.pts)
        if packet.pts not in self._spare:
            self._is_spoilt = True
            self._spoil(self._number(packet.pts), is_spare=False)

    def passed(self, frame: av.VideoFrame) -> None:
        """A picture came out that nobody wants."""
        if frame.is_corrupt and frame.pts is not None:
            self._spoil(self._number(frame.pts), self._is_spare(frame))

    def reason(self, number: int, frame: av.VideoFrame) -> str:
        """Why the picture of this frame must not be shown; empty if it may."""
        if frame.is_corrupt:
            self._spoil(number, self._is_spare(frame))
            return _HARMED
        is_behind = number >= self._since and self._index.keyframe_of(number) == self._group
        is_spoilt = is_behind or int(self._index.pts[number]) in self._spoilt
        return _FOLLOWS if is_spoilt and not self._is_key(number) else ""

    def lost(self, number: int) -> str:
        """No picture came out for this frame."""
        self._spoil(number, int(self._index.pts[number]) in self._spare)
        return LOST

    def _spoil(self, number: int, is_spare: bool) -> None:
        if is_spare or number == self._index.frames:
            return
        group = self._index.keyframe_of(number)
        if group > self._group:
            self._group, self._since = group, number
        elif group == self._group:
            self._since = min(self._since, number)

    def _number(self, pts: int) -> int:
        """The frame that is shown then, or the next one; as many as there are if it lies behind them all."""
        return int(self._index.pts.searchsorted(pts))

    def _is_spare(self, frame: av.VideoFrame) -> bool:
        return frame.pts in self._spare or (self._index.codec in _BRIEF and int(frame.pict_type) == _B)

    def _is_key(self, number: int) -> bool:
        return bool(self._index.keyframes[self._index.keyframe_of(number), 0] == self._index.pts[number])


def _is_spare_h264(packet: bytes) -> bool:
    """Whether the first slice says that no picture refers to it; false where nothing can be made out."""
    place = 0
    for _ in range(8):
        mark = packet.find(b"\0\0\1", place, place + 4)
        if mark >= 0:
            start = mark + 3
            after = packet.find(b"\0\0\1", start)
        else:
            start = place + 4
            after = start + int.from_bytes(packet[place:start], "big")
        if start >= len(packet):
            return False
        kind = packet[start] & 31
        if 1 <= kind <= 5:
            return packet[start] >> 5 & 3 == 0
        if after <= start:
            return False
        place = after - 1 if mark >= 0 and packet[after - 1] == 0 else after
    return False
