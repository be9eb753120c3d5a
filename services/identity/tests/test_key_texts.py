"""Texts that stand for accounts and sessions."""

import re

from hypothesis import given
from hypothesis import strategies as st
from yard.identity.domain import KEY_LENGTH, LONGEST_EMAIL, email_key
from yard.runtime import ids

LARGEST_INDEX_ROW = 2_704


@given(st.text(max_size=LONGEST_EMAIL))
def test_an_address_is_known_by_one_key_that_an_index_can_hold(text: str) -> None:
    key = email_key(text)
    assert len(key.encode("utf-8", "surrogatepass")) < LARGEST_INDEX_ROW - 100
    assert email_key(key) == key


@given(st.from_regex(r"[a-zA-Z0-9.+-]{1,40}@[a-zA-Z0-9.-]{1,40}", fullmatch=True))
def test_addresses_are_the_same_in_any_case(email: str) -> None:
    assert email_key(email) == email_key(email.upper()) == email_key(email.lower()) == email.lower()


def test_keys_are_letters_and_digits_and_never_the_same() -> None:
    keys = [ids.letters(KEY_LENGTH) for _ in range(1_000)]
    assert all(re.fullmatch("[0-9a-zA-Z]{40}", key) for key in keys)
    assert len(set(keys)) == len(keys)
    assert len(set("".join(keys))) == 62
