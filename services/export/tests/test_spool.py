"""Records on their way to a file."""

import psutil
from yard.export.datasets.spool import Spool, Strand


def test_what_may_hold_nothing_in_memory_goes_to_a_file() -> None:
    before = psutil.Process().num_fds()
    with Spool(0) as spool:
        for record in (b"one", b"", b"three"):
            spool.append(record)
        assert psutil.Process().num_fds() == before + 1
        assert list(spool) == [b"one", b"", b"three"]


def test_each_strand_gives_its_own_records_in_order() -> None:
    with Spool(4) as spool:
        first, second, none = (Strand(spool) for _ in range(3))
        for strand, record in ((first, b"a"), (first, b""), (second, b"b"), (first, b"long"), (second, b"c")):
            strand.append(record)
        both = zip(first, second, strict=False)
        assert list(both) == [(b"a", b"b"), (b"", b"c")]
        assert list(first) == [b"a", b"", b"long"]
        assert list(spool) == [b"a", b"", b"b", b"long", b"c"]
        assert (bool(first), bool(none), list(none)) == (True, False, [])
