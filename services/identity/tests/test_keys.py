import base64
import json
from collections.abc import AsyncIterator

import pytest
from yard.identity.keys import KeyRules, SigningKeys
from yard.runtime.auth import Principal, TokenVerifier
from yard.runtime.db import Database
from yard.testkit.fixtures import DatabaseUrl

RULES = KeyRules(encryption_key=bytes(32), token_ttl_s=900, replace_after_s=86_400)
ANN = Principal(user_id=1, username="ann", role="user")


@pytest.fixture
async def database(database_url: DatabaseUrl) -> AsyncIterator[Database]:
    database = await Database.connect(database_url("identity"))
    yield database
    await database.close()


async def published(keys: SigningKeys) -> list[str]:
    return [key["kid"] for key in json.loads(await keys.jwks_json())["keys"]]


def signer(keys: SigningKeys) -> str:
    header = keys.issue(ANN).token.split(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(header + "=="))["kid"])


async def age(database: Database, seconds: int) -> None:
    await database.execute(
        "UPDATE signing_key SET created_at = created_at - make_interval(secs => $1)", float(seconds)
    )


async def test_replicas_share_one_key(database: Database) -> None:
    first, second = SigningKeys(database, RULES), SigningKeys(database, RULES)
    await first.refresh()
    await second.refresh()
    assert signer(first) == signer(second)
    verifier = TokenVerifier(second.jwks_json)
    assert await verifier.verify(first.issue(ANN).token) == ANN


async def test_a_key_is_published_before_it_signs_and_until_its_tokens_have_ended(database: Database) -> None:
    keys = SigningKeys(database, RULES)
    await keys.refresh()
    old = signer(keys)

    await age(database, 86_401)
    await keys.refresh()
    new = next(kid for kid in await published(keys) if kid != old)
    assert (signer(keys), await published(keys)) == (old, [new, old])

    await age(database, 601)
    await keys.refresh()
    assert (signer(keys), await published(keys)) == (new, [new, old])

    await age(database, 900 + 121)
    await keys.refresh()
    assert (signer(keys), await published(keys)) == (new, [new])
    assert await database.fetchval("SELECT encrypted_private_key FROM signing_key WHERE kid = $1", old) == b""


async def test_private_keys_are_stored_encrypted_only(database: Database) -> None:
    keys = SigningKeys(database, RULES)
    await keys.refresh()
    assert keys._signing is not None
    stored = await database.fetchval("SELECT encrypted_private_key FROM signing_key")
    assert keys._signing[1] not in stored
    assert len(stored) == 12 + 32 + 16


async def test_with_another_encryption_key_new_keys_are_made_and_old_tokens_hold(database: Database) -> None:
    before = SigningKeys(database, RULES)
    await before.refresh()
    token = before.issue(ANN).token

    after = SigningKeys(
        database, KeyRules(encryption_key=bytes(31) + b"x", token_ttl_s=900, replace_after_s=86_400)
    )
    await after.refresh()
    assert signer(after) != signer(before)
    verifier = TokenVerifier(after.jwks_json)
    assert await verifier.verify(token) == await verifier.verify(after.issue(ANN).token) == ANN
