"""The table says something about every method, once, and the document says what the table says."""

from tests.rights import document
from tests.rights.calling import methods
from tests.rights.calls import CALLS
from tests.rights.people import PEOPLE
from tests.rights.table import TABLE


def test_every_method_is_in_the_table() -> None:
    assert sorted(methods()) == sorted({row.method for row in TABLE})


def test_every_case_is_told_once_and_tried() -> None:
    cases = [(row.method, row.case) for row in TABLE]
    assert len(cases) == len(set(cases))
    assert set(cases) == set(CALLS)


def test_everybody_in_the_table_is_somebody() -> None:
    for row in TABLE:
        assert (row.yes | row.no | row.ended) <= PEOPLE.keys(), row


def test_the_document_is_made_from_the_table() -> None:
    assert document.FILE.read_text() == document.document()
