import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.media.member_names import BadNameError, label_of

NAMES = st.text(st.sampled_from("ab./\\:é"), min_size=1, max_size=9)


@given(NAMES)
def test_a_label_has_the_parts_of_the_name_that_are_folders_and_file(name: str) -> None:
    parts = name.replace("\\", "/").split("/")
    kept = [part for part in parts if part not in ("", ".")]
    is_good = parts[0] and not parts[0].endswith(":") and ".." not in kept and kept
    if is_good:
        assert label_of(name) == "/".join(kept)
    else:
        with pytest.raises(BadNameError):
            label_of(name)
