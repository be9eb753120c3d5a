"""The OpenAPI document: what FastAPI tells of the routes, made exact."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from yard.gateway.edge.paging import Problem

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch")
ABOUT: Final = """\
Below /api is what clients of CVAT expect; below /v1 what CVAT has no word for.
Every path may end with a slash. Each answer has the header X-Request-Id.

Errors are `{"detail", "code"}`, bad fields `{"<field>": ["what is wrong"]}`.
Parts of CVAT's API that there is nothing behind answer 501 and why.
"""
PUBLIC: Final[dict[str, Any]] = {"security": []}
"""`openapi_extra` of routes that need no credentials."""

PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": Problem | dict[str, list[str]], "description": "A field or its value is wrong."},
    401: {"model": Problem, "description": "No valid credentials came with the request."},
    403: {"model": Problem, "description": "Not for this caller."},
    404: {"model": Problem, "description": "Absent, or not for this caller to see."},
    405: {"model": Problem, "description": "Not a method of this path."},
    409: {"model": Problem, "description": "Somebody else has changed it, or it is there already."},
    413: {"model": Problem, "description": "The body is larger than what is taken."},
    429: {"model": Problem, "description": "Too much at once; Retry-After says when to come back."},
}

_SCHEMES: Final = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A personal access token, or an access token of identity.",
    },
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Token <key>` with the key of a session.",
    },
    "password": {"type": "http", "scheme": "basic"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "Changes need the header X-CSRFToken with the value of the cookie csrftoken.",
    },
}
_OF_VALIDATION: Final = ("HTTPValidationError", "ValidationError")
_PLACE: Final = re.compile(r"\{(\w+)\}")
_FIRST: Final = re.compile(r"(.+?[^.])(?:\.(?:\s|$)|$)", re.DOTALL)


def document(api: FastAPI) -> dict[str, Any]:
    """The whole document, OpenAPI 3.1."""
    found = get_openapi(
        title=api.title, version=api.version, summary=api.summary, description=ABOUT, routes=api.routes
    )
    for path, item in found["paths"].items():
        for method, operation in _operations(item):
            operation["operationId"] = operation_id(method, path)
            operation["responses"].pop("422", None)
            _sum_up(operation)
            _name_places(path, item, operation)
    components = found.setdefault("components", {})
    for name in _OF_VALIDATION:
        components.get("schemas", {}).pop(name, None)
    components["securitySchemes"] = _SCHEMES
    found["security"] = [{name: []} for name in _SCHEMES]
    return found


def operation_id(method: str, path: str) -> str:
    """`get_tasks_id_data` for GET /api/tasks/{task_id}/data."""
    words = [word for word in re.split(r"[^A-Za-z0-9]+", path.removeprefix("/api")) if word]
    return "_".join([method, *words])


def _operations(item: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for method in METHODS:
        if method in item:
            yield method, item[method]


def _sum_up(operation: dict[str, Any]) -> None:
    """The first sentence of the docstring is the summary, not the name of the function."""
    told = " ".join(operation.get("description", "").split())
    match = _FIRST.match(told)
    if match is None:
        operation.pop("summary", None)
        return
    operation["summary"] = match[1]
    rest = told[match.end() :].strip()
    operation["description"] = rest
    if not rest:
        del operation["description"]


def _name_places(path: str, item: Mapping[str, Any], operation: dict[str, Any]) -> None:
    """Describes places of the path that a method does not look at, as its neighbours do."""
    given = operation.setdefault("parameters", [])
    named = {one["name"] for one in given if one["in"] == "path"}
    for name in _PLACE.findall(path):
        if name not in named:
            given.append(_neighbours(item, name))
    if not given:
        del operation["parameters"]


def _neighbours(item: Mapping[str, Any], name: str) -> dict[str, Any]:
    for _, operation in _operations(item):
        for one in operation.get("parameters", ()):
            if one["in"] == "path" and one["name"] == name:
                return dict(one)
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
