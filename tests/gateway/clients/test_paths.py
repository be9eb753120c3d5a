"""Every address that the generated client of CVAT knows is answered, if only with a reason."""

import re

import pytest
from starlette.routing import Match
from yard.gateway.app import described
from yard.testkit import apart

_ENDPOINT = re.compile(r"'endpoint_path': '([^']+)',\s+'operation_id': '[^']+',\s+'http_method': '([A-Z]+)'")


def known() -> list[tuple[str, str]]:
    """Method and path of each endpoint of the SDK."""
    programs = apart.environment("clients")
    [folder] = programs.parent.glob("lib/python3*/site-packages/cvat_sdk/api_client/api")
    found = {pair for file in folder.glob("*_api.py") for pair in _ENDPOINT.findall(file.read_text())}
    return sorted((method, path) for path, method in found)


@pytest.mark.timeout(300)
def test_every_endpoint_of_the_sdk_has_a_route() -> None:
    routes, endpoints = described().routes, known()
    assert len(endpoints) > 150
    bare = []
    for method, path in endpoints:
        filled = re.sub(r"\{[^}]+\}", "1", path).rstrip("/")
        scope = {"type": "http", "path": filled, "method": method, "root_path": ""}
        if not any(route.matches(scope)[0] is Match.FULL for route in routes):
            bare.append(f"{method} {path}")
    assert bare == []
