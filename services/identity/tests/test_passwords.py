"""What is kept of a password, at the cost that is paid in earnest."""

import time

import argon2
import pytest
from argon2 import profiles
from yard.identity.handlers import passwords
from yard.identity.handlers.passwords import Passwords

EARNEST = passwords.COST


@pytest.fixture(autouse=True)
def in_earnest(cheap_passwords: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", EARNEST)


def test_the_cost_is_the_second_choice_of_the_rfc() -> None:
    assert EARNEST == profiles.RFC_9106_LOW_MEMORY


async def test_a_hash_has_its_cost_and_its_salt() -> None:
    kept = await Passwords.create(threads=1)
    first, second = [await kept.hash("a password") for _ in range(2)]
    assert first != second
    assert argon2.extract_parameters(first) == profiles.RFC_9106_LOW_MEMORY
    assert [await kept.verify(first, text) for text in ("a password", "A password")] == [True, False]
    assert not await kept.verify(None, "a password")
    await kept.close()


async def test_an_unknown_name_takes_the_same_work() -> None:
    kept = await Passwords.create(threads=1)
    known = await kept.hash("right")

    async def shortest(password_hash: str | None) -> float:
        times = []
        for _ in range(3):
            start = time.process_time()
            assert not await kept.verify(password_hash, "wrong")
            times.append(time.process_time() - start)
        return min(times)

    ratio = await shortest(None) / await shortest(known)
    await kept.close()
    assert 0.4 < ratio < 2.5
