"""Calls that are generated from the document: nothing crashes, and answers are those that it has."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from yard.gateway.edge.protocol import LONGEST_URL
from yard.testkit.platform import Platform

from tests.gateway.people import People

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 5
PERSON = "generated.person"

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")

# As `make check-generated` finds it: the routes need not be loaded to know which tests there are.
DOCUMENT = json.loads(Path("docs/openapi.json").read_text())
# What answers 501 and nothing else has tests of its own.
REFUSING = [
    operation["operationId"]
    for item in DOCUMENT["paths"].values()
    for operation in item.values()
    if not any(code.startswith("2") for code in operation["responses"])
]
# The token that all calls are made with is not to be ended by one of them.
ENDING = ["delete_auth_access_tokens_token_id", "patch_auth_access_tokens_token_id"]
schema = schemathesis.openapi.from_dict(DOCUMENT).exclude(operation_id=[*REFUSING, *ENDING])

# Hundreds of calls at the bounds of every parameter would take minutes.
schema.config.phases.coverage.enabled = False


@pytest.fixture(scope="module")
def session(platform: Platform) -> Iterator[requests.Session]:
    """Somebody without rights over others, by a token that calls cannot end."""

    async def made() -> str:
        async with People.of(platform) as people:
            person = await people.make(PERSON)
            answer = await person.post("/api/auth/access_tokens", json={"name": "generated"})
            return str(answer.raise_for_status().json()["value"])

    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {asyncio.run(made())}"
        yield session


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_those_of_the_document(
    case: schemathesis.Case[Any], platform: Platform, session: requests.Session
) -> None:
    case.headers.pop("Authorization", None)
    answer = case.call(
        base_url=f"http://127.0.0.1:{platform.port('gateway')}",
        session=session,
        headers={"Authorization": str(session.headers["Authorization"])},
        timeout=30,
    )
    if answer.status_code == 414:  # no route was asked
        assert len(str(answer.request.url)) > LONGEST_URL
        return
    case.validate_response(answer, checks=CHECKS)
