"""The child's side of a call: what a job function may ask of its parent."""

import io
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from time import monotonic

from yard.runtime.workers import wire

BLOCK = 256 * 1024
MAX_AHEAD = 16  # blocks in one request: 4 MiB
CACHED_BLOCKS = 64  # 16 MiB a file
ASKED_BLOCKS = 4  # in one request of what is asked for early: its start is there before all of it
_MOST_ASKED = CACHED_BLOCKS // 2
_PROGRESS_INTERVAL_S = 0.1

Send = Callable[[wire.Header, wire.Buffer], None]
Fetch = Callable[[int, int], bytearray]


class CallEndedError(Exception):
    """The call that this host belonged to is over; a thread of it went on."""


class Host:
    """Given to a job function; all methods may be called from any thread while the function runs."""

    def __init__(self, send: Send, sizes: Mapping[str, int]) -> None:
        self._send = send
        self._sizes = sizes
        self._changed = threading.Condition()
        self._send_lock = threading.Lock()
        self._reads = threading.BoundedSemaphore(wire.MAX_READS)
        self._next_read = 0
        self._answers: dict[int, bytearray | None] = {}
        self._unacknowledged = 0
        self._ended = False
        self._progress_at = 0.0

    def open(self, name: str) -> "SourceFile":
        """A seekable binary file over a source of the call; KeyError for an unknown name."""
        return SourceFile(self._sizes[name], lambda offset, length: self._fetch(name, offset, length))

    def emit(self, chunk: wire.Buffer) -> None:
        """Sends bytes to the caller; waits while 4 MiB are on their way."""
        view = memoryview(chunk).cast("B")
        for start in range(0, view.nbytes, wire.EMIT_PIECE):
            self._emit_piece(view[start : start + wire.EMIT_PIECE])

    def progress(self, fraction: float) -> None:
        """Tells the caller how much is done, 0 to 1; at most ten times a second, and the end always."""
        now = monotonic()
        if fraction >= 1 or now - self._progress_at >= _PROGRESS_INTERVAL_S:
            self._progress_at = now
            self._transmit(["progress", float(fraction)], b"")

    def answer(self, read: int, body: bytearray) -> None:
        """A read's bytes have come (called by the receiving thread)."""
        with self._changed:
            if read in self._answers:
                self._answers[read] = body
                self._changed.notify_all()

    def acknowledge(self, size: int) -> None:
        """The consumer has taken `size` bytes (called by the receiving thread)."""
        with self._changed:
            self._unacknowledged -= size
            self._changed.notify_all()

    def end(self, header: wire.Header) -> None:
        """Sends the last frame of the call and refuses all later ones."""
        with self._send_lock:
            self._send(header, b"")
            self._ended = True
        with self._changed:
            self._changed.notify_all()

    def _emit_piece(self, piece: memoryview) -> None:
        with self._changed:
            self._wait_for(lambda: self._unacknowledged + piece.nbytes <= wire.EMIT_WINDOW)
            self._unacknowledged += piece.nbytes
        self._transmit(["emit"], piece)

    def _fetch(self, name: str, offset: int, length: int) -> bytearray:
        with self._reads:
            with self._changed:
                read = self._next_read = self._next_read + 1
                self._answers[read] = None
            self._transmit(["read", read, name, offset, length], b"")
            with self._changed:
                self._wait_for(lambda: self._answers[read] is not None)
                body = self._answers.pop(read)
        assert body is not None
        return body

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        self._changed.wait_for(lambda: self._ended or condition())
        self._check()

    def _transmit(self, header: wire.Header, body: wire.Buffer) -> None:
        with self._send_lock:
            self._check()
            self._send(header, body)

    def _check(self) -> None:
        if self._ended:
            raise CallEndedError("the call has ended")


class SourceFile(io.RawIOBase):
    """A source as a file: reads are full, cached by block, and read further ahead while they go forward.

    One thread at a time; threads that read at different places open the source once each.
    """

    def __init__(self, size: int, fetch: Fetch) -> None:
        super().__init__()
        self.size = size
        self._fetch = fetch
        self._position = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._asked: dict[int, tuple[range, Future[bytearray]]] = {}
        """Blocks on their way, each with all of its request."""
        self._ahead = 1
        self._next_block = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Offset of the next byte."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves without reading; past the end is allowed, as in a file."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError(f"seek to {base + offset}")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: "wire.Buffer") -> int:  # type: ignore[override]
        """Fills the whole buffer unless the source ends."""
        view = memoryview(buffer).cast("B")
        wanted = max(0, min(view.nbytes, self.size - self._position))
        done = 0
        while done < wanted:
            index, start = divmod(self._position, BLOCK)
            part = self._block(index)[start : start + wanted - done]
            view[done : done + len(part)] = part
            done += len(part)
            self._position += len(part)
        return done

    def readall(self) -> bytes:
        """All from here to the end."""
        buffer = bytearray(max(0, self.size - self._position))
        self.readinto(buffer)
        return bytes(buffer)

    def will_need(self, offset: int, length: int) -> None:
        """Asks for bytes at once, so that reading them soon waits less; no more than half of the cache."""
        first = offset // BLOCK
        stop = min(-(-(offset + length) // BLOCK), -(-self.size // BLOCK), first + _MOST_ASKED)
        known = self._blocks.keys() | self._asked.keys()
        unasked = [index for index in range(first, stop) if index not in known]
        while unasked and len(self._asked) < _MOST_ASKED:
            run = range(unasked[0], unasked[0] + 1)
            while len(run) < ASKED_BLOCKS and unasked[len(run) : len(run) + 1] == [run.stop]:
                run = range(run.start, run.stop + 1)
            del unasked[: len(run)]
            coming: Future[bytearray] = Future()
            self._asked.update(dict.fromkeys(run, (run, coming)))
            threading.Thread(target=self._answer, args=(run, coming), daemon=True).start()

    def _answer(self, run: range, coming: "Future[bytearray]") -> None:
        try:
            coming.set_result(self._fetch_run(run))
        except CallEndedError as ended:
            coming.set_exception(ended)

    def _block(self, index: int) -> bytes:
        block = self._blocks.get(index)
        if block is None:
            self._load(index)
            block = self._blocks[index]
        self._blocks.move_to_end(index)
        return block

    def _load(self, index: int) -> None:
        """Fetches a run of blocks, twice as long as the last one if this continues it."""
        if index in self._asked:
            run, coming = self._asked[index]
            for asked in run:
                del self._asked[asked]
            self._keep(run, coming.result())
            self._ahead = len(run)
            return
        self._ahead = min(self._ahead * 2, MAX_AHEAD) if index == self._next_block and index else 1
        stop = index + 1
        while stop < index + self._ahead and stop not in self._blocks and stop not in self._asked:
            stop += 1
        run = range(index, stop)
        self._keep(run, self._fetch_run(run))

    def _fetch_run(self, run: range) -> bytearray:
        first = run.start * BLOCK
        return self._fetch(first, min(run.stop * BLOCK, self.size) - first)

    def _keep(self, run: range, content: bytearray) -> None:
        body = memoryview(content)
        self._next_block = run.stop
        for index in run:
            start = (index - run.start) * BLOCK
            self._blocks[index] = bytes(body[start : start + BLOCK])
        while len(self._blocks) > CACHED_BLOCKS:
            self._blocks.popitem(last=False)
