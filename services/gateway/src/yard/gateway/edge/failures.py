"""Errors as CVAT's clients print them: `{"detail": ...}`, or `{"<field>": ["...", ...]}` for bad fields."""

import math
from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from yard.gateway.edge.answers import JsonAnswer
from yard.runtime import errors, ids, telemetry

_log = telemetry.log(__name__)

# Clients of CVAT ask for another password after 400, and drop what they know after 401.
CONTENT: Final = "application/json"
TUS_VERSION: Final = "1.0.0"


def install(app: FastAPI) -> None:
    """Makes all that is raised an answer."""
    app.add_exception_handler(errors.YardError, _of_tree)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(Exception, _unexpected)


def body_of(fault: errors.YardError) -> dict[str, Any]:
    """The JSON of an error; `code` is its reason for programs."""
    if isinstance(fault, errors.InvalidArgument) and fault.violations:
        fields: dict[str, list[str]] = {}
        for violation in fault.violations:
            fields.setdefault(violation.field or "detail", []).append(violation.description)
        return fields
    return {"detail": fault.message, "code": fault.reason}


def answer(fault: errors.YardError) -> Response:
    """The response for an error of our tree."""
    headers: dict[str, str] = {}
    if fault.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(fault.retry_after_s)))
    if isinstance(fault, errors.Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="frameyard", Basic realm="frameyard"'
    return JsonAnswer(body_of(fault), errors.http_status(fault), headers)


async def _of_tree(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, errors.YardError)
    if isinstance(fault, (errors.Internal, errors.Unavailable, errors.DataLoss)):
        _log.warning("request_failed", path=request.url.path, reason=fault.reason, error=fault.message)
    response = answer(fault)
    if "tus-resumable" in request.headers:
        # The protocol wants the version in every answer.
        response.headers["Tus-Resumable"] = TUS_VERSION
    return response


async def _of_validation(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, RequestValidationError)
    fields: dict[str, list[str]] = {}
    for error in fault.errors():
        fields.setdefault(_place(error["loc"]), []).append(str(error["msg"]))
    return JsonAnswer(fields, 400)


def _place(location: tuple[Any, ...]) -> str:
    """`body.labels.0.name` without the first part, unless that is all there is."""
    inner = location[1:] or location
    return ".".join(str(part) for part in inner)


async def _of_http(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    headers: Mapping[str, str] | None = fault.headers
    return JsonAnswer({"detail": fault.detail}, fault.status_code, dict(headers) if headers else None)


async def _unexpected(request: Request, fault: Exception) -> Response:
    error_id = ids.uuid7().hex
    _log.error("request_crashed", path=request.url.path, error_id=error_id, exc_info=fault)
    return JsonAnswer({"detail": f"internal error {error_id}"}, 500)
