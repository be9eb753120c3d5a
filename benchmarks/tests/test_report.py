import json
from pathlib import Path

import pytest

from benchmarks.report import Aim, publish, row, table

FAST = row("calls", "1/s", [900, 1000, 5000], [2000, 2000, 1], Aim(of="ratio", relation=">=", value=0.5))
SLOW = row("p99", "ms", [80.0], [10.0], Aim(of="ours", relation="<", value=50))
BARE = row("events", "1/s", [1.0, 2.0], [3.0])


def test_a_row_holds_medians_and_its_verdict() -> None:
    assert (FAST.ours, FAST.baseline, FAST.ratio, FAST.aim, FAST.holds) == (
        1000,
        2000,
        0.5,
        "ratio >= 0.5",
        True,
    )
    assert (SLOW.aim, SLOW.holds) == ("ours < 50", False)
    assert (BARE.ours, BARE.aim, BARE.holds) == (1.5, None, None)


def test_the_table_is_even_and_says_what_is_missed() -> None:
    assert table([FAST, SLOW, BARE]) == (
        "metric  unit  ours   baseline  ratio  aim           holds\n"
        "calls   1/s   1,000  2,000     0.50   ratio >= 0.5  yes\n"
        "p99     ms    80.00  10.00     8.00   ours < 50     MISSED\n"
        "events  1/s   1.50   3.00      0.50   -             -\n"
    )


def test_the_file_is_a_list_of_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish("probe", [FAST, SLOW], tmp_path / "out")
    written = json.loads((tmp_path / "out" / "probe.json").read_text())
    assert [list(each) for each in written] == [
        ["metric", "unit", "ours", "baseline", "ratio", "aim", "holds"]
    ] * 2
    assert written[1]["holds"] is False
    assert capsys.readouterr().out == table([FAST, SLOW])
