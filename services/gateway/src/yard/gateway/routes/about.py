"""What this server is."""

from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel
from yard.gateway.edge.describing import PUBLIC
from yard.gateway.edge.limits import Counted

router = APIRouter(prefix="/server", tags=["server"])

# Clients of this and the next minor version take it without a warning.
COMPATIBLE_VERSION: Final = "2.80.0"


class About(BaseModel):
    """Name and version; clients compare the version with theirs."""

    name: str
    description: str
    version: str
    logo_url: str
    subtitle: str


class Health(BaseModel):
    """Whether the gateway answers."""

    status: str


@router.get("/about", openapi_extra=PUBLIC)
async def about(_: Counted) -> About:
    """Tells name and the version of CVAT whose clients fit; needs no credentials."""
    return About(
        name="Frameyard",
        description="Turns videos and images into annotation tasks.",
        version=COMPATIBLE_VERSION,
        logo_url="",
        subtitle="",
    )


@router.get("/health", openapi_extra=PUBLIC)
async def health() -> Health:
    """Answers as long as the gateway does; needs no credentials."""
    return Health(status="ok")
