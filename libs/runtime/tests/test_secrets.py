"""Secrets that services keep for others."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.runtime.auth import Secrets, parse_key
from yard.runtime.errors import FailedPrecondition

OURS, THEIRS = Secrets(bytes(32)), Secrets(bytes([1]) * 32)


@given(st.binary(max_size=100))
def test_secrets_open_by_the_key_and_for_what_they_were_sealed_for(secret: bytes) -> None:
    stored = OURS.seal("a/1", secret)
    assert OURS.unseal("a/1", stored) == secret
    assert OURS.seal("a/1", secret) != stored
    for secrets, belongs_to in ((THEIRS, "a/1"), (OURS, "a/2")):
        with pytest.raises(FailedPrecondition) as caught:
            secrets.unseal(belongs_to, stored)
        assert caught.value.reason == "SECRET_LOST"


@given(st.binary(max_size=40))
def test_what_was_never_sealed_does_not_open(stored: bytes) -> None:
    with pytest.raises(FailedPrecondition):
        OURS.unseal("a/1", stored)


@pytest.mark.parametrize("text", ["", "x", base64.b64encode(bytes(31)).decode(), "ä" * 44])
def test_a_key_that_is_none_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="32 bytes in base64, got <hidden>"):
        parse_key(text)
