"""Puts the application together: what surrounds it, its routes, its description."""

import asyncio
from typing import Final

import orjson
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp
from yard.gateway.edge import describing, failures
from yard.gateway.edge.bodies import Bounded
from yard.gateway.edge.compressing import Compressed
from yard.gateway.edge.forms import LONG_AT_ONCE
from yard.gateway.edge.limits import Limits
from yard.gateway.edge.methods import EveryMethod
from yard.gateway.edge.observing import Observed
from yard.gateway.edge.slashes import BothForms
from yard.gateway.edge.streaming import OpenStreams
from yard.gateway.routes import CVAT, OWN
from yard.gateway.settings import Settings
from yard.gateway.upstream.credentials import Credentials
from yard.gateway.upstream.references import References
from yard.gateway.upstream.services import Services
from yard.gateway.upstream.sights import Sights

# By name: with credentials a browser takes "*" for a header of that name.
EXPOSED: Final = (
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Location",
    "Retry-After",
    "Tus-Extension",
    "Tus-Max-Size",
    "Tus-Resumable",
    "Tus-Version",
    "Upload-Expires",
    "Upload-Filename",
    "Upload-Length",
    "Upload-Offset",
    "X-Request-ID",
)


def application(settings: Settings, services: Services, credentials: Credentials) -> ASGIApp:
    """The whole application."""
    api = described()
    api.state.settings = settings
    api.state.services = services
    api.state.credentials = credentials
    api.state.sights = Sights()
    api.state.references = References()
    api.state.limits = Limits(settings)
    api.state.streams = OpenStreams()
    api.state.long_bodies = asyncio.Semaphore(LONG_AT_ONCE)
    api.state.document = orjson.dumps(api.openapi())
    app: ASGIApp = Bounded(api, settings.max_json_bytes)
    if settings.cors_origins:
        app = CORSMiddleware(
            app,
            allow_origins=list(settings.cors_origins),
            allow_credentials=True,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=EXPOSED,
        )
    return Observed(Compressed(EveryMethod(BothForms(app))))


def described() -> FastAPI:
    """Routes and their description, without anything behind them."""
    api = FastAPI(
        title="Frameyard",
        version="1",
        summary="The API of CVAT's clients, and what it has no word for.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=describing.PROBLEMS,
    )
    failures.install(api)
    for router in CVAT:
        api.include_router(router, prefix="/api")
    for router in OWN:
        api.include_router(router, prefix="/v1")
    document = describing.document(api)
    # FastAPI asks for a method of its own to be replaced like this.
    api.openapi = lambda: document  # type: ignore[method-assign]
    return api
