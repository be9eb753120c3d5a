"""Tokens are renewed once, however many need them."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from yard.client import Client, ClientError, Endpoints
from yard.client.cli.profile import Profile
from yard.client.session import Tokens

from libs.client.tests.far_side import new_far_side, serving

OLD = Tokens(access="access-0", refresh="refresh-0", expire_time=datetime(2000, 1, 1, tzinfo=UTC))


def profile(folder: Path, endpoints: Endpoints) -> Profile:
    made = Profile(folder, "default")
    made.use(endpoints, folder / "endpoints.json")
    return made


async def test_calls_at_once_renew_once() -> None:
    far_side = new_far_side()
    async with serving(far_side) as endpoints, Client(endpoints, tokens=OLD) as client:
        found = await asyncio.gather(*(client.session.metadata() for _ in range(5)))
    assert set(found) == {(("authorization", "Bearer access-1"),)}
    assert far_side.renewals == 1


async def test_the_second_process_takes_what_the_first_one_renewed(tmp_path: Path) -> None:
    far_side = new_far_side()
    async with serving(far_side) as endpoints:
        profile(tmp_path, endpoints).keep(OLD)
        first, second = profile(tmp_path, endpoints), profile(tmp_path, endpoints)
        async with (
            Client(endpoints, tokens=first.tokens, keeper=first) as one,
            Client(endpoints, tokens=second.tokens, keeper=second) as other,
        ):
            await one.session.metadata()
            assert await other.session.metadata() == (("authorization", "Bearer access-1"),)
    assert far_side.renewals == 1
    kept = Profile(tmp_path, "default").tokens
    assert kept is not None
    assert kept.refresh == "refresh-1"


async def test_a_session_that_has_ended_is_forgotten(tmp_path: Path) -> None:
    far_side = new_far_side()
    far_side.refresh_tokens.clear()
    async with serving(far_side) as endpoints:
        keeper = profile(tmp_path, endpoints)
        keeper.keep(OLD)
        async with Client(endpoints, tokens=OLD, keeper=keeper) as client:
            with pytest.raises(ClientError) as caught:
                await client.session.metadata()
            assert await client.session.metadata() == ()
    assert caught.value.code == "UNAUTHENTICATED"
    assert Profile(tmp_path, "default").tokens is None
