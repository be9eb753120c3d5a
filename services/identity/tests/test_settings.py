import base64
from typing import Any

import pytest
from yard.identity.domain import NEW_PASSWORD_LENGTHS
from yard.identity.settings import Settings, check, key_of
from yard.runtime.settings import SettingsError

KEY = base64.b64encode(bytes(32)).decode()


def settings(**changes: Any) -> Settings:
    given: dict[str, Any] = {
        "database_url": "",
        "nats_url": "",
        "s3_endpoint": "",
        "s3_access_key": "",
        "s3_secret_key": "",
        "key_encryption_key": KEY,
        "service_accounts": {},
    }
    return Settings(**{**given, **changes})


@pytest.mark.parametrize("key", ["", "short", base64.b64encode(bytes(31)).decode(), KEY[:-1] + "é"])
def test_the_encryption_key_is_32_bytes(key: str) -> None:
    assert key_of(settings()) == bytes(32)
    with pytest.raises(
        SettingsError, match="FRAMEYARD_KEY_ENCRYPTION_KEY: expected 32 bytes in base64"
    ) as caught:
        key_of(settings(key_encryption_key=key))
    assert not key or key not in str(caught.value)


def test_weak_secrets_and_lives_are_refused_at_once() -> None:
    check(settings(admin_password="12345678", service_accounts={"export": "x" * 16}), NEW_PASSWORD_LENGTHS)
    with pytest.raises(SettingsError) as caught:
        check(
            settings(
                admin_password="hunter2",
                service_accounts={"export": "weak"},
                access_token_ttl_s=0,
                signing_key_days=-1,
            ),
            NEW_PASSWORD_LENGTHS,
        )
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        "FRAMEYARD_SERVICE_ACCOUNTS",
        "FRAMEYARD_ADMIN_PASSWORD",
        "FRAMEYARD_ACCESS_TOKEN_TTL_S",
        "FRAMEYARD_SIGNING_KEY_DAYS",
    ]
    assert "hunter2" not in str(caught.value)
    assert "weak" not in str(caught.value)
