import pytest
from yard.media.errors import MediaError
from yard.media.index_block import ImageAddress, decode_frames, encode_frames, seal
from yard.media.plan import (
    TRAILER_BYTES,
    Block,
    PlanHead,
    Source,
    decode_head,
    encode_plan,
    head_range,
)

SOURCES = [Source(key="uploads/1/0", name="a.jpg", size_bytes=7, sha256="")]


def block(*names: str) -> bytes:
    return encode_frames([ImageAddress(name=name) for name in names])


def head_of(plan: bytes) -> PlanHead:
    offset, length = head_range(plan[-TRAILER_BYTES:], len(plan))
    return decode_head(plan[offset : offset + length])


def test_a_plan_is_read_by_ranges() -> None:
    blocks = [block("a", "b"), block("c")]
    plan = b"".join(encode_plan("images", SOURCES, blocks, size=3, start=5, step=2))
    head = head_of(plan)
    assert head == PlanHead(
        kind="images",
        sources=tuple(SOURCES),
        blocks=(
            Block(offset=0, length=len(blocks[0]), first=0, count=2),
            Block(offset=len(blocks[0]), length=len(blocks[1]), first=2, count=1),
        ),
        size=3,
        start=5,
        step=2,
    )
    last = head.blocks[1]
    assert [a.name for a in decode_frames(plan[last.offset : last.offset + last.length])] == ["c"]


def test_equal_plans_are_equal_bytes() -> None:
    once, again = (b"".join(encode_plan("images", SOURCES, [block("a")], size=1)) for _ in range(2))
    assert once == again


@pytest.mark.parametrize(("kind", "size"), [("images", 1), ("images", 4), ("video", 3)])
def test_blocks_must_hold_what_the_plan_promises(kind: str, size: int) -> None:
    with pytest.raises(MediaError) as caught:
        b"".join(encode_plan(kind, SOURCES, [block("a", "b"), block("c")], size=size))  # type: ignore[arg-type]
    assert caught.value.code == "limit"


@pytest.mark.parametrize("trailer", [b"", b"x" * TRAILER_BYTES, b"YPLT\x02\0\0\0" + bytes(8)])
def test_what_is_no_plan_is_refused(trailer: bytes) -> None:
    with pytest.raises(MediaError):
        head_range(trailer, 1_000)


def test_a_head_must_lie_in_the_plan() -> None:
    trailer = b"YPLT\x01\0\0\0" + (2_000).to_bytes(8, "little")
    with pytest.raises(MediaError, match="does not fit a plan of 1000"):
        head_range(trailer, 1_000)


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"sources": [{}], "blocks": []}', b"null"])
def test_heads_that_make_no_sense_are_refused(text: bytes) -> None:
    with pytest.raises(MediaError, match="head of the plan is not valid"):
        decode_head(seal(b"YPLH", text))


def test_an_unknown_kind_is_refused() -> None:
    text = b'{"kind": "sound", "sources": [], "blocks": [], "size": 0, "start": 0, "step": 1}'
    with pytest.raises(MediaError, match="unknown kind 'sound'"):
        decode_head(seal(b"YPLH", text))
