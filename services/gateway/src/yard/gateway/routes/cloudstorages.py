"""Cloud storages of people, of which there are none: operators connect stores as shares."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from yard.gateway.cvat.numbers import LARGEST_ID
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.paging import Page, Paged, Problem
from yard.runtime import errors

router = APIRouter(prefix="/cloudstorages", tags=["cloud storages"])


@router.get("")
async def list_cloud_storages(_: Calling, paging: Paged) -> Page[dict[str, Any]]:
    """Lists cloud storages: there are none."""
    return paging.page([], 0)


@router.post("", status_code=501, responses={501: {"model": Problem, "description": "Always."}})
async def create_cloud_storage(_: Calling) -> Problem:
    """Refuses: the operator connects stores as shares."""
    raise errors.Unimplemented("cloud storages are not connected by people: the operator connects shares")


@router.get("/{storage_id}")
async def read_cloud_storage(
    _: Calling, storage_id: Annotated[int, Path(ge=1, le=LARGEST_ID, description="Id of the cloud storage.")]
) -> dict[str, Any]:
    """Finds none."""
    raise errors.NotFound("cloud storage", storage_id)
