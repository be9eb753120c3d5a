"""Organizations, of which there are none: everybody works in the personal workspace."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from yard.gateway.cvat.numbers import LARGEST_ID
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.paging import Page, Paged, Problem
from yard.runtime import errors

router = APIRouter(tags=["organizations"])


@router.get("/organizations")
async def list_organizations(_: Calling, paging: Paged) -> Page[dict[str, Any]]:
    """Lists organizations: there are none."""
    return paging.page([], 0)


@router.post("/organizations", status_code=501, responses={501: {"model": Problem, "description": "Always."}})
async def create_organization(_: Calling) -> Problem:
    """Refuses: projects and assignees say who sees what."""
    raise errors.Unimplemented("there are no organizations: projects and assignees say who sees what")


@router.get("/organizations/{organization_id}")
async def read_organization(
    _: Calling,
    organization_id: Annotated[int, Path(ge=1, le=LARGEST_ID, description="Id of the organization.")],
) -> dict[str, Any]:
    """Finds none."""
    raise errors.NotFound("organization", organization_id)


@router.get("/memberships")
async def list_memberships(_: Calling, paging: Paged) -> Page[dict[str, Any]]:
    """Lists memberships of organizations: there are none."""
    return paging.page([], 0)


@router.get("/invitations")
async def list_invitations(_: Calling, paging: Paged) -> Page[dict[str, Any]]:
    """Lists invitations into organizations: there are none."""
    return paging.page([], 0)
