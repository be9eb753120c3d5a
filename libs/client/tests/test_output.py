import json
from collections.abc import AsyncIterator, Sequence

import pytest
from frameyard.task.v1 import label_pb2
from yard.client.cli.output import Output
from yard.client.cli.plain import plain, plain_json
from yard.client.failures import ClientError, Violation

HOSTILE = "a\x1b[2J\x9b1mb\r\u202ec\u2028d\n"


async def pages(*names: Sequence[str]) -> AsyncIterator[Sequence[label_pb2.Label]]:
    for page in names:
        yield [label_pb2.Label(id=number, name=name) for number, name in enumerate(page, 1)]


def row(label: label_pb2.Label) -> tuple[object, ...]:
    return label.id, label.name


def test_what_acts_on_a_terminal_is_written_out() -> None:
    assert plain(HOSTILE) == "a\\x1b[2J\\x9b1mb\\x0d\\u202ec\\u2028d\\x0a"
    assert plain("Straße 東京 🚗") == "Straße 東京 🚗"


def test_json_carries_the_same_text_in_escapes() -> None:
    text = plain_json({"name": HOSTILE})
    assert json.loads(text) == {"name": HOSTILE}
    assert text.isprintable()


async def test_tables_line_up_by_width_on_screen(capsys: pytest.CaptureFixture[str]) -> None:
    await Output(as_json=False).table(("id", "name"), pages(["東京", "b"], ["c"]), row)
    assert capsys.readouterr().out == "id  name\n1   東京\n2   b\n1   c\n"


async def test_tables_show_markup_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    await Output(as_json=False).table(("id", "name"), pages(["[bold]x[/bold]", HOSTILE]), row)
    out = capsys.readouterr().out
    assert "[bold]x[/bold]" in out
    assert "\x1b" not in out
    assert out.count("\n") == 3


@pytest.mark.parametrize("names", [([],), (["a", "b"],), (["a"], ["b"])])
async def test_tables_as_json_are_one_list(
    capsys: pytest.CaptureFixture[str], names: tuple[Sequence[str], ...]
) -> None:
    await Output(as_json=True).table(("id", "name"), pages(*names), row)
    found = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in found] == [name for page in names for name in page]


async def test_an_empty_table_has_its_heading(capsys: pytest.CaptureFixture[str]) -> None:
    await Output(as_json=False).table(("id", "name"), pages([]), row)
    assert capsys.readouterr().out == "id  name\n"


def test_messages_are_words_or_json_with_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    label = label_pb2.Label(name=HOSTILE)
    Output(as_json=False).message(label, f"label {label.name}", "second line")
    words = capsys.readouterr().out
    assert words.count("\n") == 2
    assert "\x1b" not in words
    Output(as_json=True).message(label, "not shown")
    assert json.loads(capsys.readouterr().out)["color"] == ""


def test_failures_go_to_standard_error_with_each_violation(capsys: pytest.CaptureFixture[str]) -> None:
    violations = (
        Violation(field="overlap", description="must be 0 or more"),
        Violation(field="name", description="must not be \x1b[31mempty"),
    )
    fault = ClientError("bad", code="INVALID_ARGUMENT", violations=violations, hint="look")
    Output(as_json=False).failure(fault)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [
        "error: overlap: must be 0 or more",
        "error: name: must not be \\x1b[31mempty",
        "hint: look",
    ]
    Output(as_json=True).failure(fault)
    error = json.loads(capsys.readouterr().err)["error"]
    assert (error["code"], error["violations"][0]["field"], error["hint"]) == (
        "INVALID_ARGUMENT",
        "overlap",
        "look",
    )
