"""Every method of identity, tried as everybody."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest
from frameyard.identity.v1 import identity_service_pb2 as messages
from frameyard.identity.v1 import user_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from yard.identity.keys import KeyRules, SigningKeys
from yard.identity.service import SERVICE
from yard.identity.settings import Settings
from yard.runtime import app, auth
from yard.runtime.db import Database
from yard.testkit.fixtures import SettingsFor

from tests.rights import people
from tests.rights.calling import Call, answer_of, methods, outcome
from tests.rights.people import PEOPLE, Who
from tests.rights.scene import FIRST_ID, Platform, Scene
from tests.rights.table import TABLE, Row

METHODS = methods()
IDENTITY: Final = "identity.v1.IdentityService"
KEY: Final = bytes(range(32))


def _update(user_id: int, path: str, **fields: Any) -> messages.UpdateUserRequest:
    wanted = user_pb2.User(id=user_id, **fields)
    return messages.UpdateUserRequest(user=wanted, update_mask=FieldMask(paths=[path]))


# What everybody may ask is let in without credentials that hold: it then says that they do not.
_OPEN: Final = frozenset({"INVALID_ARGUMENT", "UNAUTHENTICATED"})
CALLS: Final = {
    ("Login", ""): Call(request=lambda _: messages.LoginRequest(), lets_in=_OPEN),
    ("RefreshSession", ""): Call(request=lambda _: messages.RefreshSessionRequest(), lets_in=_OPEN),
    ("Logout", ""): Call(request=lambda _: messages.LogoutRequest(), lets_in=_OPEN),
    ("ExchangeAccessToken", ""): Call(request=lambda _: messages.ExchangeAccessTokenRequest(), lets_in=_OPEN),
    ("IssueServiceToken", ""): Call(request=lambda _: messages.IssueServiceTokenRequest(), lets_in=_OPEN),
    ("GetJwks", ""): Call(request=lambda _: messages.GetJwksRequest()),
    ("GetSelf", ""): Call(request=lambda _: messages.GetSelfRequest()),
    ("CreateUser", ""): Call(
        request=lambda _: messages.CreateUserRequest(user=user_pb2.User(username="new"), password="12345678")
    ),
    ("GetUser", ""): Call(request=lambda _: messages.GetUserRequest(id=people.USER)),
    ("ListUsers", ""): Call(
        request=lambda _: messages.ListUsersRequest(),
        shows=lambda found, _: any(user.id == people.USER for user in found.users),
    ),
    ("UpdateUser", "own names"): Call(request=lambda s: _update(s.caller, "first_name", first_name="A")),
    ("UpdateUser", "names of another"): Call(
        request=lambda s: _update(_another(s), "first_name", first_name="A")
    ),
    ("UpdateUser", "own role"): Call(request=lambda s: _update(s.caller, "role", role=user_pb2.ROLE_ADMIN)),
    ("ChangePassword", "of another"): Call(
        request=lambda s: messages.ChangePasswordRequest(user_id=_another(s), new_password="12345678")
    ),
    ("CreateAccessToken", ""): Call(request=lambda _: messages.CreateAccessTokenRequest(name="script")),
    ("ListAccessTokens", ""): Call(
        request=lambda _: messages.ListAccessTokensRequest(),
        shows=lambda found, s: (
            [token.id for token in found.access_tokens].count(s.own_token) == 1
            and s.others_token not in [token.id for token in found.access_tokens]
        ),
    ),
    ("RevokeAccessToken", "an own one"): Call(
        request=lambda s: messages.RevokeAccessTokenRequest(id=s.own_token)
    ),
    ("RevokeAccessToken", "one of another"): Call(
        request=lambda s: messages.RevokeAccessTokenRequest(id=s.others_token)
    ),
}


def _another(scene: Scene) -> int:
    return people.USER if scene.caller == people.WORKER else people.WORKER


@dataclass(slots=True, kw_only=True)
class Accounts(Platform):
    """Identity, whose own keys sign the tokens."""

    keys: SigningKeys

    def token(self, principal: auth.Principal) -> str:
        return self.keys.issue(principal).token


@asynccontextmanager
async def identity(settings_for: SettingsFor) -> AsyncIterator[Accounts]:
    settings = settings_for(
        Settings,
        admin_password="",
        service_accounts={"export": "a-secret-of-sixteen-or-more"},
        key_encryption_key=base64.b64encode(KEY).decode(),
    )
    async with app.serving(SERVICE, settings) as running:
        db = running.runtime.db
        keys = SigningKeys(db, KeyRules(encryption_key=KEY, token_ttl_s=900, replace_after_s=86_400))
        await keys.refresh()
        accounts = Accounts(issuer=auth.TokenIssuer.generate(), running={"identity": running}, keys=keys)
        await db.execute(f"ALTER TABLE access_token ALTER COLUMN id RESTART WITH {FIRST_ID}")
        yield accounts
        for channel in accounts.channels.values():
            await channel.close()


async def scene_of(db: Database, who: Who) -> Scene:
    """All accounts as they were before the last call, each with one token."""
    await db.execute("DELETE FROM app_user")
    everybody = {other.user_id: other for other in PEOPLE.values() if other.user_id}
    tokens = {}
    for user_id, other in everybody.items():
        await db.execute(
            """
            INSERT INTO app_user
                (id, username, username_key, first_name, last_name, email, role, is_active, password_hash)
            OVERRIDING SYSTEM VALUE VALUES ($1, $2, $2, '', '', '', $3, $4, '')
            """,
            user_id,
            f"user{user_id}",
            other.role,
            user_id != people.LEFT,
        )
        tokens[user_id] = await db.fetchval(
            "INSERT INTO access_token (user_id, name, sha256) VALUES ($1, 't', int8send($1)) RETURNING id",
            user_id,
        )
    scene = Scene(project=0, task=0, job=0, label=0, issue=0, comment=0, caller=who.user_id)
    others = tokens[_another(scene)]
    return replace(scene, own_token=tokens.get(who.user_id, others), others_token=others)


@pytest.mark.timeout(300)
async def test_everybody_gets_the_answer_of_the_table(settings_for: SettingsFor) -> None:
    rows = [row for row in TABLE if row.method.startswith(f"{IDENTITY}/")]
    assert {(row.method.split("/")[1], row.case) for row in rows} == set(CALLS)
    async with identity(settings_for) as accounts:
        faults = [
            fault for row in rows for who in PEOPLE.values() if (fault := await fault_of(accounts, row, who))
        ]
    assert not faults, "\n".join(faults)


async def fault_of(accounts: Accounts, row: Row, who: Who) -> str:
    """What is wrong with the answer that somebody gets, "" if nothing is."""
    call = CALLS[row.method.split("/")[1], row.case]
    scene = await scene_of(accounts.running["identity"].runtime.db, who)
    channel = accounts.channel("identity", who)
    found = await outcome(channel, METHODS[row.method], call.request(scene))
    answer, expected = answer_of(found, call, scene), row.answer(who.key)
    if answer != expected:
        return f"{row.method} ({row.case}) as {who.key}: {answer} instead of {expected}"
    if answer != "hidden":
        return ""
    absent = scene.absent()
    nothing = await outcome(channel, METHODS[row.method], call.request(absent))
    nothing = nothing.renamed(str(absent.others_token), str(scene.others_token))
    return "" if nothing == found else f"{row.method} ({row.case}) as {who.key}: {found} is not {nothing}"
