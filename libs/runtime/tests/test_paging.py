import base64

import pytest
from frameyard.identity.v1.identity_service_pb2 import ListUsersRequest
from frameyard.operation.v1.operation_service_pb2 import GetOperationRequest, ListOperationsRequest
from hypothesis import given
from hypothesis import strategies as st
from yard.runtime import errors, paging

REQUEST = ListOperationsRequest(kind="export")


@given(st.lists(st.one_of(st.text(), st.integers(), st.floats(allow_nan=False), st.none(), st.booleans())))
def test_a_token_gives_back_its_sort_key(values: list[object]) -> None:
    token = paging.encode(values, REQUEST)
    assert paging.decode(token, REQUEST) == values
    assert token.isascii()
    assert "=" not in token


def test_a_token_belongs_to_its_request_whatever_the_page() -> None:
    token = paging.encode([7], REQUEST)
    assert paging.decode("", REQUEST) is None
    other_page = ListOperationsRequest(kind="export", page_size=3, page_token=token)
    assert paging.decode(token, other_page) == [7]
    with pytest.raises(errors.InvalidArgument, match="other fields"):
        paging.decode(token, ListOperationsRequest(kind="import"))


def test_a_token_goes_on_whether_rows_are_counted_and_wherever_the_first_page_began() -> None:
    token = paging.encode([7], ListUsersRequest(search="a", skip=20, with_total_size=True))
    assert paging.decode(token, ListUsersRequest(search="a", page_token=token)) == [7]
    with pytest.raises(errors.InvalidArgument, match="other fields"):
        paging.decode(token, ListUsersRequest(search="b", skip=20, with_total_size=True))


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (ListUsersRequest(skip=3, page_size=10), []),
        (ListUsersRequest(page_token="t", page_size=10), []),
        (ListUsersRequest(skip=3, page_token="t"), ["skip"]),
        (ListUsersRequest(skip=-1, page_token="t", page_size=-1), ["skip", "page_size"]),
    ],
)
def test_all_that_is_wrong_with_a_page_is_told(request_: ListUsersRequest, fields: list[str]) -> None:
    assert [violation.field for violation in paging.violations(request_)] == fields


JUNK = st.binary(min_size=1).map(lambda raw: base64.urlsafe_b64encode(raw).decode())


@given(st.one_of(st.text(min_size=1), JUNK))
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(errors.InvalidArgument):
        paging.decode(token, REQUEST)


@given(st.integers(0, paging.LARGEST_NUMBER))
def test_a_number_comes_back(number: int) -> None:
    assert paging.decode_number(paging.encode([number], REQUEST), REQUEST) == number


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
def test_a_text_comes_back(text: str) -> None:
    assert paging.decode_text(paging.encode([text], REQUEST), REQUEST) == text


@pytest.mark.parametrize("values", [[], [-1], [1 << 62], [True], [1.0], ["1"], [None], [[1]], [1, 2]])
def test_what_is_no_number_is_refused(values: list[object]) -> None:
    with pytest.raises(errors.InvalidArgument, match="page_token"):
        paging.decode_number(paging.encode(values, REQUEST), REQUEST)


@pytest.mark.parametrize("values", [[], [1], [None], ["a\x00"], ["\ud800"], [["a"]], ["a", "b"]])
def test_what_is_no_text_is_refused(values: list[object]) -> None:
    with pytest.raises(errors.InvalidArgument, match="page_token"):
        paging.decode_text(paging.encode(values, REQUEST), REQUEST)


def test_the_first_page_has_neither() -> None:
    assert paging.decode_number("", REQUEST) is None
    assert paging.decode_text("", REQUEST) is None


@pytest.mark.parametrize(("asked", "given_"), [(0, 50), (1, 1), (1000, 1000), (5000, 1000)])
def test_sizes_of_pages(asked: int, given_: int) -> None:
    assert paging.size(asked) == given_


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(errors.InvalidArgument, match="page_size"):
        paging.size(-1)


def test_requests_without_paging_fields_have_no_tokens() -> None:
    with pytest.raises(ValueError, match="page_size"):
        paging.encode([1], GetOperationRequest())
