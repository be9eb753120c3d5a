"""Logging in by CVAT's SDK in every way, and what it asks the server about itself."""

import json

from yard.export.formats import FORMATS

from tests.gateway.clients.conftest import Drive
from tests.gateway.clients.running import Account
from tests.gateway.people import PASSWORD, People


def test_passwords_open_sessions(drive: Drive, account: Account) -> None:
    who = {"username": account.username, "password": account.password}
    found = drive("people.by_password", **who)
    assert (found["username"], found["version"]) == ("admin", "2.80.0")
    assert drive("people.by_basic", **who) == "admin"
    told = json.loads(drive("people.with_a_wrong_password", username="admin"))
    assert "wrong" in told["non_field_errors"][0]


def test_access_tokens_do_what_they_are_made_for(drive: Drive) -> None:
    assert drive("people.by_token") == {"username": "admin"}


def test_users_are_found(drive: Drive) -> None:
    assert drive("people.found", username="admin") == ["admin"]
    assert drive("people.found_by_id", username="admin") == "admin"


async def test_people_change_their_names_and_passwords(drive: Drive, people: People) -> None:
    await people.make("sdk.ada")
    (wrong,) = drive("people.of_oneself", username="sdk.ada", password=PASSWORD)
    assert list(json.loads(wrong)) == ["old_password"]


def test_the_server_tells_its_formats(drive: Drive) -> None:
    told = drive("people.server")
    assert set(told["exporters"]) == {f"{known.name} {known.version}" for known in FORMATS}
