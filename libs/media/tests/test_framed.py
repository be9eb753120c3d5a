"""Chunks of a run in one stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.media.chunk_results import Result
from yard.media.framed import Content, End, FrameParser, FrameWriter, FramingError

RESULT: Result = {"width": 4, "height": 2, "corrupt": [[7, "ends early"]]}


def written(chunks: list[list[bytes]]) -> bytes:
    stream = bytearray()
    writer = FrameWriter(stream.extend)
    for chunk, pieces in enumerate(chunks):
        for piece in pieces:
            writer.content(chunk, piece)
        writer.end(chunk, {**RESULT, "number": chunk})
    return bytes(stream)


def parsed(pieces: list[bytes], chunks: int | None = None) -> list[tuple[bytes, Result]]:
    parser = FrameParser(chunks)
    contents: dict[int, bytearray] = {}
    ended: list[tuple[bytes, Result]] = []
    for piece in pieces:
        for part in parser.feed(piece):
            if isinstance(part, Content):
                contents.setdefault(part.chunk, bytearray()).extend(part.piece)
            else:
                ended.append((bytes(contents.get(part.chunk, b"")), part.result))
    parser.finish()
    return ended


@given(chunks=st.lists(st.lists(st.binary(max_size=40), max_size=4), max_size=4), size=st.integers(1, 50))
def test_what_is_written_is_read_wherever_it_is_cut(chunks: list[list[bytes]], size: int) -> None:
    stream = written(chunks)
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert parsed(pieces, len(chunks)) == [
        (b"".join(pieces), {**RESULT, "number": chunk}) for chunk, pieces in enumerate(chunks)
    ]


def test_content_is_not_kept_back() -> None:
    parser = FrameParser()
    stream = written([[b"abcdef"]])
    assert list(parser.feed(stream[:11])) == [Content(0, b"ab")]
    assert list(parser.feed(memoryview(stream)[11:16])) == [Content(0, b"cdef")]
    assert list(parser.feed(stream[16:])) == [End(0, {**RESULT, "number": 0})]


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (b"\x02" + bytes(8), "kind 2"),
        (b"\x00\x01\0\0\0\x01\0\0\0", "chunk 1 comes where chunk 0"),
        (b"\x00\0\0\0\0" + b"\xff" * 4, "frame of 4294967295 bytes"),
        (b"\x01\0\0\0\0" + (9 << 20).to_bytes(4, "little"), "frame of 9437184 bytes"),
        (b"\x00\0\0\0\0" + bytes(4), "frame of 0 bytes"),
        (b"\x01\0\0\0\0\x01\0\0\0{", "not JSON"),
        (b"\x01\0\0\0\0\x02\0\0\0[]", "not an object"),
        (written([[b"a"]]) + b"\x00\0\0\0\0\x01\0\0\0a", "chunk 0 comes where chunk 1"),
        (written([[b"a"], [b"b"], [b"c"]]), "chunk 2 comes where chunk 2 of 2"),
        (written([[b"a"]]), "after 1 of 2"),
        (written([[b"a"], [b"b"]])[:-1], "within a frame"),
        (written([[b"a"], [b"b"]])[:3], "within a frame"),
    ],
)
def test_anything_else_is_refused(stream: bytes, message: str) -> None:
    with pytest.raises(FramingError, match=message):
        parsed([stream], chunks=2)
