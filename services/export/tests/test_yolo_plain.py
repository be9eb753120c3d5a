"""Files of labels that are read all at once hold what their lines hold one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from yard.export.formats.yolo_reading import _by_line, _plain, _Taken
from yard.export.intakes.collected import Collected

from services.export.tests.intake_scene import target_of
from services.export.tests.sample import SUBJECT

NUMBERS = st.one_of(
    st.integers(0, 99).map(str),
    st.floats(0, 1).map(lambda number: f"{number:.6f}"),
    st.floats(-2, 2).map(repr),
    st.sampled_from(["", "1_0", "nan", "1e3", "-0.5", ".5", "5.", "x", "1,2"]),
)
LINES = st.one_of(
    st.lists(NUMBERS, min_size=5, max_size=5).map(" ".join), st.lists(NUMBERS, max_size=6).map("  ".join)
)
FILES = st.builds(
    lambda lines, end: ("\n".join(lines) + end).encode(),
    st.lists(LINES, max_size=4),
    st.sampled_from(["\n", "", "\r\n"]),
)


@given(st.lists(FILES, max_size=4))
def test_all_at_once_is_as_line_by_line(contents: list[bytes]) -> None:
    taken = [_Taken(f"{number}.txt", number, content) for number, content in enumerate(contents)]
    plain = _plain(taken)
    if plain is None:
        return
    intake = Collected(target_of(SUBJECT), lambda batch: None)
    files, table = _by_line(intake, taken)
    assert [(file.name, file.frame, file.rows) for file in plain[0]] == [
        (file.name, file.frame, file.rows) for file in files
    ]
    assert np.array_equal(plain[1], table)


def test_what_darknet_writes_is_plain() -> None:
    found = _plain([_Taken("a.txt", 0, b"0 0.5 0.25 0.1 0.2\n"), _Taken("b.txt", 1, b"")])
    assert found is not None
    assert found[1].tolist() == [[0, 0.5, 0.25, 0.1, 0.2]]
