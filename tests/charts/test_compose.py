"""compose.yaml starts every service with settings that it knows, and names every secret that it wants."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from yard.runtime.settings import describe

COMPOSE = Path("deploy/compose.yaml")
SERVICES = sorted(path.parent.name for path in Path("services").glob("*/pyproject.toml"))
EDGES = {"gateway"}
SERVERS = {"postgres", "nats", "s3"}
VARIABLE = re.compile(r"\$\{(\w+)[^}]*\}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return found


def service_of(compose: dict[str, Any], service: str) -> dict[str, Any]:
    found: dict[str, Any] = compose["services"][service.replace("_", "-")]
    return found


def test_it_starts_the_servers_and_every_service(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == SERVERS | {service.replace("_", "-") for service in SERVICES}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_settings_that_it_knows(compose: dict[str, Any], service: str) -> None:
    settings = describe(importlib.import_module(f"yard.{service}.settings").Settings)
    given = service_of(compose, service)["environment"]
    assert service_of(compose, service)["command"] == [f"yard.{service}"]
    assert set(given) <= {one.env for one in settings}
    assert {one.env for one in settings if one.default is None} <= set(given)
    for one in settings:
        if one.secret and one.env in given:
            assert VARIABLE.search(given[one.env]), one.env


@pytest.mark.parametrize("service", SERVICES)
def test_containers_are_restricted_and_on_this_machine_only(compose: dict[str, Any], service: str) -> None:
    found = service_of(compose, service)
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in found["ports"])


def test_addresses_lead_to_services(compose: dict[str, Any]) -> None:
    addresses = {
        value.rpartition(":")[0]
        for service in SERVICES
        for name, value in service_of(compose, service)["environment"].items()
        if name.endswith("_ADDRESS")
    }
    assert addresses <= set(compose["services"])


def test_the_example_names_every_variable() -> None:
    listed = re.findall(r"(?m)^(\w+)=", Path("deploy/compose.env.example").read_text())
    assert sorted(listed) == sorted({match[1] for match in VARIABLE.finditer(COMPOSE.read_text())})


def test_every_service_has_a_role() -> None:
    script = Path("deploy/docker/roles.sh").read_text()
    (roles,) = re.findall(r"for service in ([a-z_ ]+); do", script)
    assert set(roles.split()) == set(SERVICES) - EDGES


def test_images_say_their_version(compose: dict[str, Any]) -> None:
    images = [found["image"] for found in compose["services"].values()]
    assert [image for image in images if image.endswith(":latest") or ":" not in image] == []
