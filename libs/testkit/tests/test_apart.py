"""What the process of another environment answers; that it is one, the tests of exports and clients show."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from yard.testkit import answering

SUBJECT = "def opened(first): return (first, 2)"
READERS = """
def both(first, second, third):
    print("not an answer")
    return [first, second, third]

def leave(*given):
    raise SystemExit(given[0])
"""


def answers(folder: Path, *requests: object) -> list[dict[str, object]]:
    (folder / "readers").mkdir()
    (folder / "readers/subject.py").write_text(SUBJECT)
    (folder / "readers/some.py").write_text(READERS)
    done = subprocess.run(
        [sys.executable, "-P", answering.__file__, "readers"],
        input="".join(f"{json.dumps(request)}\n" for request in requests),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def request(function: str, **options: object) -> dict[str, object]:
    return {"function": function, "subject": {"first": "a"}, "options": options}


def test_functions_get_subject_and_options(tmp_path: Path) -> None:
    assert answers(tmp_path, request("some.both", third=3)) == [{"result": ["a", 2, 3]}]


@pytest.mark.parametrize("function", ["some.leave", "some.absent", "absent.both"])
def test_faults_are_answers_and_the_process_goes_on(tmp_path: Path, function: str) -> None:
    fault, result = answers(tmp_path, request(function), request("some.both", third=3))
    assert "Traceback" in str(fault["fault"])
    assert "result" in result
