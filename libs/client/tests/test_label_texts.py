from pathlib import Path

import pytest
from yard.client.cli.label_texts import is_raw, raw_text, text_of
from yard.client.failures import ClientError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[{"name": "car", "type": "rectangle"}]', True),
        ('[{"name": "car", "attributes": [{"name": "a", "input_type": "text"}]}]', True),
        ('[{"name": "car", "attributes": [{"name": "a", "input_type": "text",}]},]', True),
        ('[{"name": "person", "sublabels": []}]', True),
        ('[{"name": "car", "kind": "LABEL_KIND_ANY", "attributes": [{"name": "a"}]}]', False),
        ('[{"name": "car"}]', False),
        ('{"type": "rectangle"}', False),
        ('[{"attributes": 3}, 4, null]', False),
        ("[{", False),
        ("[" * 100_000, False),
    ],
)
def test_both_forms_are_told_apart(text: str, expected: bool) -> None:
    assert is_raw(text) is expected


def test_what_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_bytes(b"\xff")
    with pytest.raises(ClientError, match=r"labels\.json: not UTF-8"):
        text_of(tmp_path / "labels.json")
    with pytest.raises(ClientError, match=r"gone\.json: No such file"):
        text_of(tmp_path / "gone.json")
    assert raw_text(tmp_path / "gone.json") is None
