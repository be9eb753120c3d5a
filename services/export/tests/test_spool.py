"""Records on their way to a file."""

import psutil
from yard.export.datasets.spool import Spool


def test_what_may_hold_nothing_in_memory_goes_to_a_file() -> None:
    before = psutil.Process().num_fds()
    with Spool(0) as spool:
        for record in (b"one", b"", b"three"):
            spool.append(record)
        assert psutil.Process().num_fds() == before + 1
        assert list(spool) == [b"one", b"", b"three"]
