"""More gateways of the same platform, in this process."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from yard.gateway.service import serving
from yard.gateway.settings import Settings
from yard.runtime.settings import load
from yard.testkit.platform import Platform


@asynccontextmanager
async def another_gateway(
    platform: Platform, like: httpx.AsyncClient, **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A connection to a gateway with other settings, logged in as `like`."""
    file = platform.data / "services" / "gateway" / "environment.json"
    alone = {"http_listen": "127.0.0.1:0", "metrics_listen": "127.0.0.1:0", "port_file": ""}
    given = {f"FRAMEYARD_{name.upper()}": str(value) for name, value in (alone | settings).items()}
    environment = json.loads(file.read_text()) | given
    async with serving(load(Settings, environment)) as running:
        headers = {"Authorization": like.headers["Authorization"]}
        url = f"http://{running.address}"
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as http:
            yield http
