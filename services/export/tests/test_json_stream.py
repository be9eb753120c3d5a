import io
import itertools
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yard.export.wording import json_stream
from yard.export.wording.json_stream import JsonError, JsonStream

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10
)


class Endless(io.RawIOBase):
    """A file that repeats a text without end, and counts what was read."""

    def __init__(self, head: bytes, text: bytes) -> None:
        self._waiting = head
        self._text = text
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        while len(self._waiting) < size:
            self._waiting += self._text * (1 + (size - len(self._waiting)) // len(self._text))
        answer, self._waiting = self._waiting[:size], self._waiting[size:]
        self.given += size
        return answer


def endless(head: bytes, text: bytes) -> Any:
    return Endless(head, text)


def walked(file: Any) -> Iterator[tuple[str, Any]]:
    """Members, elements of arrays one by one."""
    stream = JsonStream(file, lambda count: None)
    for name in stream.members():
        if stream.is_array():
            for value in stream.elements():
                yield name, value
        else:
            yield name, stream.value()
    stream.end()


def faults_of(file: Any) -> str:
    with pytest.raises(JsonError) as caught:
        for _ in walked(file):
            pass
    return str(caught.value)


@given(st.dictionaries(st.text(), VALUES, max_size=4), st.integers(1, 9), st.sampled_from([None, 1]))
@settings(max_examples=100, deadline=None)
def test_values_are_those_of_the_standard_library(
    document: dict[str, Any], window: int, indent: int | None
) -> None:
    text = json.dumps(document, ensure_ascii=len(document) % 2 == 0, indent=indent).encode(errors="replace")
    found: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        # Windows of a few bytes cut values everywhere.
        patch.setattr(json_stream, "_WINDOW", window)
        for name, value in walked(io.BytesIO(text)):
            found.setdefault(name, []).append(value)
    wanted = json.loads(text)
    listed = {name: value if isinstance(value, list) else [value] for name, value in wanted.items()}
    assert found == {name: value for name, value in listed.items() if value}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "{ is missing, at character 1"),
        ("{", "a value is missing, at character 2"),
        ('{"a" 1}', ": is missing, at character 6"),
        ('{"a":[1 2]}', "a comma or ] is missing, at character 9"),
        ('{"a":[1,]}', "a value is missing, at character 9"),
        ('{"a":1', "a comma or } is missing, at character 7"),
        ('{"a":1} x', "there is more text behind the end"),
        ('{"a":NaN}', "NaN is not a number of JSON"),
        ('{"a":[-Infinity]}', "-Infinity is not a number of JSON"),
        ('{"a":"x', "Unterminated string"),
        ('{"a":tru}', "a value is missing, at character 6"),
        ('{"a":' + "[" * 100_000, "values are nested too deeply"),
        ('{"a":' + "9" * 5000 + "}", "Exceeds the limit"),
        ("{1:2}", "the name of a member must be a string"),
        ('{"a":"\t"}', "Invalid control character"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(text: str, fault: str) -> None:
    assert fault in faults_of(io.BytesIO(text.encode()))


def test_a_fault_far_inside_is_told_with_its_place_and_without_reading_on() -> None:
    head = b'{"items":[' + b"[0.25]," * 500_000 + b"[0.5 0.5],"
    file = Endless(head, b" ")
    assert faults_of(file) == f"Expecting ',' delimiter, at character {len(head) - 4}"
    assert file.given <= len(head) + (2 << 20)


@pytest.mark.parametrize("text", [b"[1.5,", b'"a', b'{"k":[', b" 1.5,[],", b"1"])
def test_a_value_without_end_is_refused_in_bounded_memory(text: bytes) -> None:
    tracemalloc.start()
    file = Endless(b'{"items":[[', text)
    try:
        assert faults_of(file)
        assert tracemalloc.get_traced_memory()[1] < 400 << 20
    finally:
        tracemalloc.stop()
    assert file.given < 4 * json_stream.LONGEST_VALUE


def test_a_value_of_many_empty_lists_is_refused() -> None:
    assert "lists and objects" in faults_of(Endless(b'{"items":[[', b"[],"))


def test_many_elements_take_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "_WINDOW", 1 << 16)
    wanted = 60_000
    stream = JsonStream(endless(b'{"items":[', b'{"a":[1]},'), lambda count: None)
    assert next(stream.members()) == "items"
    tracemalloc.start()
    try:
        count = sum(1 for _ in itertools.islice(stream.elements(), wanted))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == wanted
    assert peak < 2 << 20
