"""The document of the API: complete, valid, and the one that is committed."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openapi_spec_validator
import pytest
from yard.gateway.app import described
from yard.gateway.edge.describing import METHODS
from yard.gateway.routes.unsupported import REASONS

from tests.gateway.people import People

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"
FILE = "01234567-89ab-7def-8123-456789abcdef.1.10"
WITHOUT_BODY = {"204", "304"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return described().openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    openapi_spec_validator.validate(document)


def test_the_committed_document_is_that_of_the_routes(document: dict[str, Any]) -> None:
    assert json.loads(COMMITTED.read_text()) == document, "stale, run `make generate`"


def test_every_operation_says_what_it_does_and_gives(document: dict[str, Any]) -> None:
    lacking = []
    for method, path, operation in operations(document):
        if not operation.get("summary"):
            lacking.append(f"{method} {path}: no summary")
        if len(operation.get("tags", ())) != 1:
            lacking.append(f"{method} {path}: not exactly one tag")
        answers = operation["responses"]
        main = next(iter(answers))
        if (
            not answers[main].get("content")
            and main not in WITHOUT_BODY
            and method not in ("head", "options")
        ):
            description = answers[main].get("description", "")
            if "no body" not in description.lower():
                lacking.append(f"{method} {path}: neither a model nor a content type for {main}")
        for media, content in [each for code in answers.values() for each in code.get("content", {}).items()]:
            if media == "application/json" and not content.get("schema"):
                lacking.append(f"{method} {path}: JSON without a schema")
    assert not lacking


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][A-Za-z0-9_]+", name) for name in names)


def test_parameters_are_typed(document: dict[str, Any]) -> None:
    untyped = [
        f"{method} {path}: {parameter['name']}"
        for method, path, operation in operations(document)
        for parameter in operation.get("parameters", ())
        if not parameter.get("schema")
    ]
    assert not untyped


def test_steps_in_which_files_come_and_archives_go_are_told(document: dict[str, Any]) -> None:
    lacking = {}
    for method, path, operation in operations(document):
        told = {parameter["name"] for parameter in operation.get("parameters", ())}
        wanted: set[str] = set()
        if method == "post" and "multipart/form-data" in operation.get("requestBody", {}).get("content", {}):
            wanted = {"Upload-Start", "Upload-Finish", "Upload-Length", "Upload-Metadata", "Tus-Resumable"}
        elif method == "patch" and path.endswith("/{file}"):
            wanted = {"Upload-Offset", "Tus-Resumable"}
        elif method == "get" and {"201", "202"} <= operation["responses"].keys():
            wanted = {"action", "filename"}
        if wanted - told:
            lacking[f"{method} {path}"] = wanted - told
    assert not lacking


def loose(document: dict[str, Any], schema: Any, place: str) -> Iterator[str]:
    """Texts without a limit: only with one it is checked that they are text, and no halves of letters."""
    if isinstance(schema, list):
        for each in schema:
            yield from loose(document, each, place)
    elif "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from loose(document, document["components"]["schemas"][name], name)
    elif schema.get("type") == "string" and not schema.keys() & {"maxLength", "enum", "const", "format"}:
        yield place
    else:
        for name, inner in schema.get("properties", {}).items():
            yield from loose(document, inner, f"{place}.{name}")
        for name in ("items", "anyOf", "oneOf"):
            yield from loose(document, schema.get(name, []), place)


def test_texts_in_bodies_are_bounded(document: dict[str, Any]) -> None:
    bodies = {
        str(content["schema"]["$ref"])
        for _, _, operation in operations(document)
        for content in operation.get("requestBody", {}).get("content", {}).values()
        if "$ref" in content["schema"]
    } - {"#/components/schemas/LabeledData"}  # which is read by no model
    assert len(bodies) > 20
    assert [place for body in sorted(bodies) for place in loose(document, {"$ref": body}, "")] == []


def test_numbers_in_paths_are_those_that_services_can_hold(document: dict[str, Any]) -> None:
    unbounded = [
        f"{method} {path}: {parameter['name']}"
        for method, path, operation in operations(document)
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "path"
        and parameter["schema"].get("type") == "integer"
        and parameter["schema"].get("maximum", 2**63) >= 2**63
    ]
    assert not unbounded


def test_only_what_needs_no_credentials_says_so(document: dict[str, Any]) -> None:
    public = {path for _, path, operation in operations(document) if operation.get("security") == []}
    assert public == {
        "/api/server/about",
        "/api/server/health",
        "/api/auth/login",
        "/api/schema",
        "/v1/openapi.json",
    }


async def test_operations_that_are_not_public_need_credentials(
    people: People, document: dict[str, Any]
) -> None:
    nobody = await people.nobody()
    answered = {}
    for method, path, operation in operations(document):
        if operation.get("security") != [] and method in ("get", "delete"):
            named = path.replace("{file}", FILE)
            answer = await nobody.request(method, re.sub(r"\{\w+\}", "1", named))
            answered[f"{method} {path}"] = answer.status_code
    assert {name: status for name, status in answered.items() if status not in (400, 401)} == {}
    assert 401 in answered.values()


async def test_the_document_is_served(people: People, document: dict[str, Any]) -> None:
    http = await people.nobody()
    for path in ("/api/schema/", "/v1/openapi.json"):
        answer = await http.get(path)
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == document


async def test_hidden_routes_refuse(admin: httpx.AsyncClient) -> None:
    for path in REASONS:
        below = await admin.get(f"/api{path}/nothing/below")
        assert below.status_code == 501, path
        assert below.json()["detail"]
