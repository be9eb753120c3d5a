"""Writes docs/rights.md from the table: `python -m tests.rights.document`."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from tests.rights.people import PEOPLE
from tests.rights.table import TABLE, Row

FILE: Final = Path("docs/rights.md")
_WORDS: Final = {"yes": "yes", "no": "no", "hidden": "hidden", "token": "token"}
_INTRODUCTION: Final = """\
# Who may do what

Made from the table of which tests try every method as everybody (`tests/rights/table.py`); change it there
and run `python -m tests.rights.document`.

- **yes**: the call is answered. Lists are called by everybody: *yes* says that the thing is in them.
- **no**: `PERMISSION_DENIED`, for who sees the thing and may not do this to it.
- **hidden**: `NOT_FOUND`, for who does not see it; code, message and details are those of a thing that does
  not exist.
- **token**: `UNAUTHENTICATED`, without a token, with one that has expired or was signed by somebody else, or
  where the account is asked for and is not active any more.

What is refused changes nothing, in no database and not in the store; the tests compare what is there before
and after.

Columns are what the caller has to do with one project, a task in it and one of the jobs of the task. A role
does not widen that: a worker who is the assignee of a task may do what every assignee of a task may, but
workers make neither projects nor tasks. A service account reads what it works on and changes nothing in
somebody's place, but makes projects and tasks for people, where these might themselves.

- Whose turn it is in a job follows from its stage: the assignee's in annotation, the reviewer's in
  validation and acceptance. Both see the job in every stage. They change its state while it is their turn;
  stage, assignee and reviewer are for who answers for the task or its project. One person may be both
  assignee and reviewer.
- Who works on some jobs of a task sees the task, and of annotations and pixels those of their own jobs
  only. Who works on all of them may read and save them as a task, as far as it is their turn.
- A deactivated account gets no new token. One that was issued before works until it ends, 15 minutes at
  most, except in identity. Nothing new can be given to the account; what was given to it stays, and is
  shown with its name.
- Names of people are read by everybody who has an account, workers too: lists of jobs, comments and
  histories are full of them. E-mail addresses are for their owners and administrators.
- Pixels and media need a grant of the caller's own, which task gives by the rules of its `GetMediaGrant`. A
  grant of other media, one of another person, one that has ended (15 minutes) and one of a job for frames
  outside of it open nothing: the answer is that of media that does not exist. Services need none.
- A restore, and the import of a data set, makes what it makes in the name of who asked, long after their
  token has ended: the service account of `export`, and no other, may name a person in the methods that this
  needs, which `yard.runtime.rpc.acting` lists. The person counts as a user then, whatever their role: an
  administrator imports data sets into projects that they own or are the assignee of.
- A dataset repository is there for who sees the whole task. Its owner and that of its project change it;
  the assignees of both may push too. Its credential is shown to nobody, and goes to another task only for
  who may change the repositories of both. Pushes by themselves are made in the name of who switched them
  on, as long as they might.
- Operations are seen and cancelled by who began them, in every service, and by administrators; archives of
  exports are fetched by who may see what is in them. Uploads are their maker's alone: not even administrators
  see them.
"""


def document() -> str:
    """The whole page."""
    return "\n".join([_INTRODUCTION, *_sections()])


def _sections() -> Iterator[str]:
    for service, rows in groupby(TABLE, key=lambda row: row.method.split("/")[0]):
        yield f"## {service}\n"
        yield f"| method | {' | '.join(_columns())} |"
        yield f"| --- |{' --- |' * len(_columns())}"
        yield from map(_line, rows)
        yield ""


def _columns() -> Sequence[str]:
    return list(dict.fromkeys(who.column for who in PEOPLE.values()))


def _line(row: Row) -> str:
    name = row.method.split("/")[1]
    case = f" ({row.case})" if row.case else ""
    return f"| `{name}`{case} | {' | '.join(_cell(row, column) for column in _columns())} |"


def _cell(row: Row, column: str) -> str:
    found = {who.when: row.answer(who.key) for who in PEOPLE.values() if who.column == column}
    answers = set(found.values())
    if len(answers) == 1:
        return _WORDS[answers.pop()]
    return f"yes {' and '.join(when for when, answer in found.items() if answer == 'yes')}"


if __name__ == "__main__":
    FILE.write_text(document())
