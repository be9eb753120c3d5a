"""docs/asyncapi.yaml describes every event completely; `make check-generated` says whether it is current."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from yard.runtime.db import subject_of


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(Path("docs/asyncapi.yaml").read_text())
    return found


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolved(document: Any, reference: str) -> Any:
    for part in reference.removeprefix("#/").split("/"):
        document = document[part]
    return document


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = set(references(document))
    assert found
    assert [reference for reference in found if not resolved(document, reference)] == []


def test_addresses_are_the_subjects_of_the_stream(document: dict[str, Any]) -> None:
    for name, channel in document["channels"].items():
        assert channel["address"] == subject_of(name, "{key}")


def test_every_event_and_field_is_described(document: dict[str, Any]) -> None:
    messages = document["components"]["messages"]
    assert set(messages) == set(document["channels"])
    assert [name for name, message in messages.items() if "Key: the" not in message["summary"]] == []
    for name, schema in document["components"]["schemas"].items():
        for field, value in schema.get("properties", {}).items():
            assert value["description"], f"{name}.{field}"
