"""The chart renders, passes its own schema and Kubernetes', and agrees with the services' settings."""

import importlib
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml
from yard.runtime.settings import describe

CHART = Path("charts/frameyard")
KUBERNETES = "1.37.0"
SERVICES = sorted(path.parent.name for path in Path("services").glob("*/pyproject.toml"))


def render(values: dict[str, Any]) -> list[dict[str, Any]]:
    rendered = helm_python.Chart.load(CHART).render(values, name="yard", namespace="frameyard")
    manifests = [text for path, text in rendered.items() if not path.endswith("NOTES.txt")]
    return [found for text in manifests for found in yaml.safe_load_all(text) if found]


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    return render({})


def deployment(objects: list[dict[str, Any]], service: str) -> dict[str, Any]:
    name = f"yard-{service.replace('_', '-')}"
    (found,) = [o for o in objects if o["kind"] == "Deployment" and o["metadata"]["name"] == name]
    return found


def container(objects: list[dict[str, Any]], service: str) -> dict[str, Any]:
    (found,) = deployment(objects, service)["spec"]["template"]["spec"]["containers"]
    return dict(found)


def test_lint_finds_nothing_worse_than_a_missing_icon() -> None:
    report = helm_python.lint(CHART, {}, strict=True)
    assert report["errors"] == []
    assert [m["error"] for m in report["messages"]] == ["icon is recommended"]


def test_every_object_is_valid(objects: list[dict[str, Any]]) -> None:
    assert {o["kind"] for o in objects} == {
        "Service",
        "Deployment",
        "PodDisruptionBudget",
        "NetworkPolicy",
        "Pod",
    }
    for found in objects:
        kubernetes_validate.validate(found, KUBERNETES, strict=True)


@pytest.mark.parametrize("service", SERVICES)
def test_settings_of_chart_and_code_agree(objects: list[dict[str, Any]], service: str) -> None:
    settings = describe(importlib.import_module(f"yard.{service}.settings").Settings)
    given = {entry["name"] for entry in container(objects, service)["env"]}
    assert given <= {s.env for s in settings}
    assert {s.env for s in settings if s.default is None} <= given


@pytest.mark.parametrize("service", SERVICES)
def test_secrets_come_from_existing_secrets(objects: list[dict[str, Any]], service: str) -> None:
    secret = {
        s.env for s in describe(importlib.import_module(f"yard.{service}.settings").Settings) if s.secret
    }
    for entry in container(objects, service)["env"]:
        assert (entry["name"] in secret) == ("valueFrom" in entry), entry["name"]


@pytest.mark.parametrize("service", SERVICES)
def test_pods_are_restricted_and_probed(objects: list[dict[str, Any]], service: str) -> None:
    pod = deployment(objects, service)["spec"]["template"]["spec"]
    one = container(objects, service)
    assert one["args"] == [f"yard.{service}"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert one["livenessProbe"]["grpc"] == {"port": 8080}
    assert one["readinessProbe"]["grpc"] == {"port": 8080, "service": "ready"}
    assert pod["terminationGracePeriodSeconds"] > 25


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"replicas": 3}, "replicas"),
        ({"services": {"task": {"replicas": -1}}}, "replicas"),
        ({"services": {"unknown": {}}}, "unknown"),
        ({"image": {"digest": "latest"}}, "digest"),
    ],
)
def test_schema_names_what_is_wrong(values: dict[str, Any], named: str) -> None:
    with pytest.raises(helm_python.HelmValuesError, match=named):
        helm_python.Chart.load(CHART).validate_schema(values)


def test_settings_and_digest_are_taken() -> None:
    digest = "sha256:" + "a" * 64
    values = {"image": {"digest": digest}, "services": {"chunking": {"settings": {"worker_processes": 4}}}}
    one = container(render(values), "chunking")
    assert one["image"] == f"frameyard/service@{digest}"
    assert {"name": "FRAMEYARD_WORKER_PROCESSES", "value": "4"} in one["env"]
