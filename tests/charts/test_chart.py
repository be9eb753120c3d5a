"""The chart renders, passes its own schema and Kubernetes', and agrees with the services' settings."""

import importlib
import json
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml
from yard.runtime.settings import ProcessSettings, RuntimeSettings, SettingDoc, describe, load

CHART = Path("charts/frameyard")
KUBERNETES = "1.37.0"
SERVICES = sorted(path.parent.name for path in Path("services").glob("*/pyproject.toml"))
# They keep nothing: no schema, no gRPC server.
EDGES = {"gateway"}


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


def settings_of(service: str) -> type[ProcessSettings]:
    found: type[ProcessSettings] = importlib.import_module(f"yard.{service}.settings").Settings
    return found


# Values for what the chart takes from existing secrets.
SECRETS = {
    "FRAMEYARD_DATABASE_URL": "postgresql://role:secret@postgres/frameyard",
    "FRAMEYARD_SERVICE_ACCOUNTS": "export=a-secret-of-the-account",
    "FRAMEYARD_GRANT_KEYS": "a-key-of-thirty-two-characters-or-more",
}
# Of the process and not of its values: where it listens, what is for tests, what only some services need.
NOT_IN_VALUES = {
    "port_file",
    "jwks",
    "identity_address",
    "grant_keys",
    "service_secret",
    "nats_token",
    "advertised_host",
}
# The code offers it to developers; in a cluster nobody asks.
LISTENS = {"rpc_listen": "[::]:8080", "http_listen": "[::]:8080", "metrics_listen": "[::]:9090"}
OTHER_DEFAULTS = {"reflection": False, **LISTENS}
# What the chart knows from values of its own, or from the names of its objects.
FROM_ELSEWHERE = {
    "nats_url",
    "s3_endpoint",
    "s3_bucket",
    "s3_region",
    "s3_secure",
    "otlp_endpoint",
    "advertised_host",
}

ADDRESSES = {f"{service}_address" for service in SERVICES}


def environment(objects: list[dict[str, Any]], service: str) -> dict[str, str]:
    """What the container would see."""
    return {
        entry["name"]: entry["value"] if "value" in entry else SECRETS.get(entry["name"], "secret")
        for entry in container(objects, service)["env"]
    }


@pytest.mark.parametrize("service", SERVICES)
def test_settings_of_chart_and_code_agree(objects: list[dict[str, Any]], service: str) -> None:
    settings = describe(settings_of(service))
    given = environment(objects, service)
    assert set(given) <= {one.env for one in settings}
    missing = {one.name for one in settings if one.env not in given}
    assert missing <= NOT_IN_VALUES
    assert not missing & {one.name for one in settings if one.default is None}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_starts_with_its_own_defaults(objects: list[dict[str, Any]], service: str) -> None:
    loaded = load(settings_of(service), environment(objects, service))
    for one in describe(settings_of(service)):
        if one.default is None or one.secret or one.name in FROM_ELSEWHERE | ADDRESSES:
            continue
        field = type(loaded).__dataclass_fields__[one.name]
        assert getattr(loaded, one.name) == OTHER_DEFAULTS.get(one.name, field.default), one.name


JSON_TYPES = {"int": "integer", "float": "number", "bool": "boolean"}


def schema_of(settings: list[SettingDoc]) -> dict[str, dict[str, str]]:
    return {one.name: {"type": JSON_TYPES.get(one.type, "string")} for one in settings}


def common_of(base: type[ProcessSettings]) -> list[SettingDoc]:
    return [
        one
        for one in describe(base)
        if one.default is not None
        and not one.secret
        and one.name not in NOT_IN_VALUES | FROM_ELSEWHERE | set(LISTENS)
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_the_schema_knows_every_setting_by_name_and_type(service: str) -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())["properties"]
    assert schema["settings"]["properties"] == schema_of(common_of(RuntimeSettings))
    base = ProcessSettings if service in EDGES else RuntimeSettings
    common = common_of(base)
    shared = {one.name for one in describe(base)}
    own = [
        one
        for one in describe(settings_of(service))
        if one.name not in shared | NOT_IN_VALUES | ADDRESSES | set(LISTENS) and not one.secret
    ]
    of_service = schema["services"]["properties"][service.replace("_", "-")]["properties"]["settings"]
    assert of_service["properties"] == schema_of([*own, *common])
    assert of_service["additionalProperties"] is False


@pytest.mark.parametrize("service", SERVICES)
def test_secrets_come_from_existing_secrets(objects: list[dict[str, Any]], service: str) -> None:
    secret = {one.env for one in describe(settings_of(service)) if one.secret}
    for entry in container(objects, service)["env"]:
        assert (entry["name"] in secret) == ("secretKeyRef" in entry.get("valueFrom", {})), entry["name"]


def test_replicas_of_chunking_know_where_they_are(objects: list[dict[str, Any]]) -> None:
    sources = {one["name"]: one.get("valueFrom") for one in container(objects, "chunking")["env"]}
    assert sources["FRAMEYARD_ADVERTISED_HOST"] == {"fieldRef": {"fieldPath": "status.podIP"}}


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
    if service in EDGES:
        assert one["livenessProbe"]["httpGet"] == {"port": "metrics", "path": "/healthz"}
        assert one["readinessProbe"]["httpGet"] == {"port": "metrics", "path": "/readyz"}
    else:
        assert one["livenessProbe"]["grpc"] == {"port": 8080}
        assert one["readinessProbe"]["grpc"] == {"port": 8080, "service": "ready"}
    assert pod["terminationGracePeriodSeconds"] > 25


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"replicas": 3}, "replicas"),
        ({"services": {"task": {"replicas": -1}}}, "replicas"),
        ({"services": {"unknown": {}}}, "unknown"),
        ({"settings": {"log_levle": "info"}}, "log_levle"),
        ({"services": {"export": {"settings": {"export_concurrency": "many"}}}}, "export_concurrency"),
        ({"image": {"digest": "latest"}}, "digest"),
    ],
)
def test_schema_names_what_is_wrong(values: dict[str, Any], named: str) -> None:
    with pytest.raises(helm_python.HelmValuesError, match=named):
        helm_python.Chart.load(CHART).validate_schema(values)


def test_settings_and_digest_are_taken() -> None:
    digest = "sha256:" + "a" * 64
    values = {
        "image": {"digest": digest},
        "settings": {"worker_processes": 3, "drain_timeout_s": 7.5},
        "services": {"chunking": {"settings": {"worker_processes": 4}}},
    }
    objects = render(values)
    assert container(objects, "chunking")["image"] == f"frameyard/service@{digest}"
    keeping = [service for service in SERVICES if service not in EDGES]
    processes = {service: environment(objects, service)["FRAMEYARD_WORKER_PROCESSES"] for service in keeping}
    assert processes == {service: "4" if service == "chunking" else "3" for service in keeping}
    assert environment(objects, "task")["FRAMEYARD_DRAIN_TIMEOUT_S"] == "7.5"


@pytest.mark.parametrize("service", ["media_ingest", "chunking"])
def test_shares_are_mounted(service: str) -> None:
    shares: dict[str, Any] = {
        "settings": {"shares": "archive=/shares/archive"},
        "volumes": [{"name": "archive", "persistentVolumeClaim": {"claimName": "archive"}}],
        "volumeMounts": [{"name": "archive", "mountPath": "/shares/archive", "readOnly": True}],
    }
    objects = render({"services": {service.replace("_", "-"): shares}})
    found = deployment(objects, service)
    kubernetes_validate.validate(found, KUBERNETES, strict=True)
    assert container(objects, service)["volumeMounts"][1] == shares["volumeMounts"][0]
    assert found["spec"]["template"]["spec"]["volumes"][1] == shares["volumes"][0]
    assert environment(objects, service)["FRAMEYARD_SHARES"] == "archive=/shares/archive"


def test_a_token_for_the_broker_is_taken_from_a_secret() -> None:
    objects = render({"nats": {"existingSecret": "broker"}})
    (entry,) = [e for e in container(objects, "task")["env"] if e["name"] == "FRAMEYARD_NATS_TOKEN"]
    assert entry["valueFrom"] == {"secretKeyRef": {"name": "broker", "key": "token"}}


def policy(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [found for found in render({"networkPolicy": values}) if found["kind"] == "NetworkPolicy"]


def test_the_network_is_closed_but_for_what_is_named() -> None:
    assert policy({"enabled": False}) == []
    (open_,) = policy({})
    (own,) = open_["spec"]["ingress"][0]["from"]
    assert own["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == "frameyard"
    peer = {"namespaceSelector": {"matchLabels": {"name": "edge"}}}
    rule = {"ports": [{"port": 5432, "protocol": "TCP"}]}
    (closed,) = policy({"ingressFrom": [peer], "egressTo": [rule]})
    kubernetes_validate.validate(closed, KUBERNETES, strict=True)
    assert closed["spec"]["ingress"][0]["from"] == [own, peer]
    assert closed["spec"]["egress"][-1] == rule
    assert {} not in closed["spec"]["egress"]


def test_the_services_are_the_folders(objects: list[dict[str, Any]]) -> None:
    names = [found["metadata"]["name"] for found in objects if found["kind"] == "Deployment"]
    assert sorted(names) == sorted(f"yard-{service.replace('_', '-')}" for service in SERVICES)
