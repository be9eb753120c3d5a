"""Files of a child process: what they ask their parent for."""

import threading
from collections.abc import Callable

import numpy as np
import pytest
from yard.runtime.workers.host import ASKED_BLOCKS, BLOCK, CACHED_BLOCKS, CallEndedError, SourceFile
from yard.testkit import eventually

CONTENT = np.arange(50 * BLOCK // 4, dtype=">u4").tobytes() + b"the end"


class Parent:
    """Answers once `open` is set, and knows what it was asked for, in blocks."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.open = threading.Event()
        self.open.set()

    def fetch(self, offset: int, length: int) -> bytearray:
        self.asked.append((offset // BLOCK, -(-length // BLOCK)))
        self.open.wait(10)
        return bytearray(CONTENT[offset : offset + length])


@pytest.fixture
def parent() -> Parent:
    return Parent()


def file_of(fetch: Callable[[int, int], bytearray]) -> SourceFile:
    return SourceFile(len(CONTENT), fetch)


def test_reads_ask_for_more_while_they_go_forward(parent: Parent) -> None:
    file = file_of(parent.fetch)
    assert file.read(6 * BLOCK) == CONTENT[: 6 * BLOCK]
    assert parent.asked == [(0, 1), (1, 2), (3, 4)]


async def test_what_will_be_needed_is_asked_for_before_it_is_read(parent: Parent) -> None:
    parent.open.clear()
    file = file_of(parent.fetch)
    file.will_need(3 * BLOCK + 5, 5 * BLOCK)
    file.will_need(7 * BLOCK, 2 * BLOCK)
    wanted = [(3, ASKED_BLOCKS), (7, 2)]
    await eventually(lambda: sorted(parent.asked) == wanted or None)
    parent.open.set()
    file.seek(3 * BLOCK + 5)
    assert file.read(5 * BLOCK) == CONTENT[3 * BLOCK + 5 : 8 * BLOCK + 5]
    file.seek(4 * BLOCK)
    assert file.read(10) == CONTENT[4 * BLOCK : 4 * BLOCK + 10]
    assert sorted(parent.asked) == wanted


def test_what_is_there_is_not_asked_for_again(parent: Parent) -> None:
    file = file_of(parent.fetch)
    file.seek(2 * BLOCK)
    file.read(1)
    file.will_need(BLOCK, 3 * BLOCK)
    assert file.read(BLOCK)
    file.seek(BLOCK)
    assert file.read(BLOCK) == CONTENT[BLOCK : 2 * BLOCK]
    assert sorted(parent.asked) == [(1, 1), (2, 1), (3, 1)]


async def test_no_more_than_half_of_the_cache_is_on_its_way(parent: Parent) -> None:
    file = file_of(parent.fetch)
    file.will_need(0, len(CONTENT))
    file.will_need(40 * BLOCK, 10 * BLOCK)
    await eventually(lambda: len(parent.asked) == CACHED_BLOCKS // 2 // ASKED_BLOCKS or None)
    assert sum(blocks for _, blocks in parent.asked) == CACHED_BLOCKS // 2
    file.will_need(len(CONTENT), 10)
    assert file.read() == CONTENT


def test_the_end_of_the_call_ends_reads_that_wait_for_it() -> None:
    def ended(_: int, __: int) -> bytearray:
        raise CallEndedError("the call has ended")

    file = file_of(ended)
    file.will_need(0, BLOCK)
    with pytest.raises(CallEndedError):
        file.read(1)
