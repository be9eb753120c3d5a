import importlib
from pathlib import Path

import pytest
from yard.embedded.credentials import Credentials
from yard.embedded.services import COMMON_SETTINGS, KEEPING_SETTINGS, SERVICES, Service, ServiceSpec, waves
from yard.runtime.settings import describe, load

FACTS = {
    "database_url": "postgresql://role:secret@127.0.0.1:5432/frameyard",
    "nats_url": "nats://127.0.0.1:4222",
    "s3_address": "127.0.0.1:9000",
    "s3_bucket": "frameyard",
    "service_secret": "s" * 32,
    "log_level": "info",
    **{f"{spec.name}_address": f"127.0.0.1:{20_000 + number}" for number, spec in enumerate(SERVICES)},
}


def names(spec: ServiceSpec) -> set[str]:
    settings = importlib.import_module(f"yard.{spec.name}.settings").Settings
    return {one.name for one in describe(settings)}


def test_every_service_is_started() -> None:
    folders = {path.parent.name for path in Path("services").glob("*/pyproject.toml")}
    assert {spec.name for spec in SERVICES} == folders


@pytest.mark.parametrize("spec", SERVICES, ids=lambda spec: spec.name)
def test_a_service_gets_settings_that_it_knows_and_accepts(tmp_path: Path, spec: ServiceSpec) -> None:
    common = COMMON_SETTINGS if spec.is_edge else {**COMMON_SETTINGS, **KEEPING_SETTINGS}
    assert {*common, *spec.settings} <= names(spec)
    secrets = Credentials.load(tmp_path / "secrets.json", [one.name for one in SERVICES])
    service = Service(spec, tmp_path, rpc_port=1, metrics_port=2, facts=secrets | FACTS, log=tmp_path / "log")
    settings = load(importlib.import_module(f"yard.{spec.name}.settings").Settings, service.environment())
    if spec.is_edge:
        assert not {"FRAMEYARD_DATABASE_URL", "FRAMEYARD_GRANT_KEYS"} & set(service.environment())
    else:
        assert settings.rpc_listen == "127.0.0.1:1"


@pytest.mark.parametrize("spec", SERVICES, ids=lambda spec: spec.name)
def test_settings_of_whoever_starts_the_platform_are_passed_on(
    tmp_path: Path, spec: ServiceSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(spec.passed) <= names(spec)
    monkeypatch.setenv("FRAMEYARD_SHARES", f"nas={tmp_path}")
    secrets = Credentials.load(tmp_path / "secrets.json", [one.name for one in SERVICES])
    service = Service(spec, tmp_path, rpc_port=1, metrics_port=2, facts=secrets | FACTS, log=tmp_path / "log")
    shares = service.environment().get("FRAMEYARD_SHARES")
    assert shares == (f"nas={tmp_path}" if spec.name in ("media_ingest", "chunking") else None)


def test_services_start_after_those_they_need() -> None:
    specs = (
        ServiceSpec(name="c", arguments=(), needs=("a", "b")),
        ServiceSpec(name="a", arguments=()),
        ServiceSpec(name="b", arguments=(), needs=("a",)),
        ServiceSpec(name="d", arguments=(), needs=("a",)),
    )
    assert [[spec.name for spec in wave] for wave in waves(specs)] == [["a"], ["b", "d"], ["c"]]


@pytest.mark.parametrize("needs", ["itself", "nobody"])
def test_needs_that_cannot_be_met_are_named(needs: str) -> None:
    with pytest.raises(ValueError, match="itself"):
        waves((ServiceSpec(name="itself", arguments=(), needs=(needs,)),))


def test_secrets_are_made_once_and_new_services_get_theirs(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    first = Credentials.load(file, ["task"])
    second = Credentials.load(file, ["task", "export"])
    assert second | first == second
    assert set(second) - set(first) == {"database_export", "service_secret_export"}
    assert Credentials.load(file, ["task", "export"]) == second
    assert len(set(second.values())) == len(second)
    assert file.stat().st_mode & 0o777 == 0o600
