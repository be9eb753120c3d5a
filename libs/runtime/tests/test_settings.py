from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from yard.runtime.egress import parse_networks
from yard.runtime.settings import (
    RuntimeSettings,
    SettingsError,
    describe,
    load,
    not_positive,
    parsed,
    setting,
)

REQUIRED = {
    "FRAMEYARD_ACCOUNTS": "a=1",
    "FRAMEYARD_DATABASE_URL": "postgresql://task:secret@host/task",
    "FRAMEYARD_NATS_URL": "nats://host",
    "FRAMEYARD_S3_ENDPOINT": "host:1",
    "FRAMEYARD_S3_ACCESS_KEY": "access-secret",
    "FRAMEYARD_S3_SECRET_KEY": "secret-secret",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(RuntimeSettings):
    size: int = setting(7, "A number.")
    ratio: float = setting(0.5, "A fraction.")
    is_on: bool = setting(False, "A switch.")
    folder: Path = setting(None, "A folder.")  # noqa: RUF009 - a field
    names: tuple[str, ...] = setting((), "A list.")
    accounts: dict[str, str] = setting(doc="Pairs.", secret=True)  # noqa: RUF009 - a field
    limit: int | None = setting(None, "A number or nothing.")
    policy: Literal["old", "new"] = setting("new", "A choice.")


def loaded(**environ: str) -> Settings:
    return load(Settings, REQUIRED | {f"FRAMEYARD_{name.upper()}": text for name, text in environ.items()})


def test_defaults_hold_where_nothing_is_set() -> None:
    settings = loaded()
    assert (settings.size, settings.is_on, settings.names, settings.limit) == (7, False, (), None)
    assert settings.s3_bucket == "frameyard"


def test_every_type_is_read() -> None:
    settings = loaded(
        size="8", ratio="0.25", is_on="Yes", folder="/data", names="a, b,,c", accounts="a=1,b=x=y", limit="9"
    )
    assert (settings.size, settings.ratio, settings.is_on) == (8, 0.25, True)
    assert (settings.folder, settings.names) == (Path("/data"), ("a", "b", "c"))
    assert settings.accounts == {"a": "1", "b": "x=y"}
    assert settings.limit == 9
    assert loaded(limit="").limit is None
    assert loaded(policy="old").policy == "old"
    with pytest.raises(SettingsError, match="FRAMEYARD_POLICY"):
        loaded(policy="other")


def test_all_faults_are_told_at_once_and_secrets_are_hidden() -> None:
    environ = {
        "FRAMEYARD_SIZE": "many",
        "FRAMEYARD_IS_ON": "perhaps",
        "FRAMEYARD_ACCOUNTS": "hidden-password",
        "FRAMEYARD_NATS_URL": "",
        "FRAMEYARD_S3_ENDPOINT": "x",
    }
    with pytest.raises(SettingsError) as caught:
        load(Settings, environ)
    text = str(caught.value)
    assert len(caught.value.faults) == 7
    for name in ("DATABASE_URL", "NATS_URL", "S3_ACCESS_KEY", "S3_SECRET_KEY", "SIZE", "IS_ON", "ACCOUNTS"):
        assert f"FRAMEYARD_{name}:" in text
    assert "'many'" in text
    assert "hidden-password" not in text


def test_secrets_are_not_shown() -> None:
    settings = loaded(accounts="a=a-secret", grant_keys="g-secret", service_secret="s-secret")
    assert "secret" not in repr(settings).replace("'frameyard'", "")
    assert "nats://host" in repr(settings)


def test_a_field_that_means_more_than_its_type_is_named_if_it_is_wrong() -> None:
    assert parsed(loaded(names="10.0.0.0/8"), "names", parse_networks) == parse_networks(["10.0.0.0/8"])
    with pytest.raises(SettingsError, match="FRAMEYARD_NAMES: 'nowhere'"):
        parsed(loaded(names="10.0.0.0/8,nowhere"), "names", parse_networks)


def test_numbers_that_leave_no_room_are_all_named() -> None:
    assert not_positive(loaded(), ("size", "ratio")) == []
    assert not_positive(loaded(size="0", ratio="-0.5"), ("size", "ratio")) == [
        "FRAMEYARD_SIZE: expected more than 0, got 0",
        "FRAMEYARD_RATIO: expected more than 0, got -0.5",
    ]


def test_descriptions_are_complete() -> None:
    described = {setting.name: setting for setting in describe(Settings)}
    assert all(setting.doc for setting in described.values())
    assert described["size"].default == "7"
    assert described["is_on"].default == "false"
    assert described["database_url"].default is None
    assert described["database_url"].secret
    assert described["size"].env == "FRAMEYARD_SIZE"


def test_a_type_that_cannot_be_read_is_a_fault_of_ours() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Odd(RuntimeSettings):
        odd: complex = setting(1j, "A complex number.")

    with pytest.raises(TypeError, match="complex"):
        load(Odd, REQUIRED | {"FRAMEYARD_ODD": "1"})
