"""Models that annotate on the server, of which there are none yet."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.paging import Problem
from yard.runtime import errors

router = APIRouter(prefix="/lambda", tags=["lambda"])


@router.get("/functions")
async def list_functions(_: Calling) -> list[dict[str, Any]]:
    """Lists models that annotate on the server: there are none."""
    return []


@router.get("/functions/{function_id}")
async def read_function(
    _: Calling, function_id: Annotated[str, Path(description="Name of the model.")]
) -> dict[str, Any]:
    """Finds none."""
    raise errors.NotFound("function", function_id[:80])


@router.post(
    "/functions/{function_id}",
    status_code=501,
    responses={501: {"model": Problem, "description": "Always."}},
)
async def call_function(
    _: Calling, function_id: Annotated[str, Path(description="Name of the model.")]
) -> Problem:
    """Refuses: no model annotates on the server."""
    raise _without_models()


@router.get("/requests")
async def list_function_requests(_: Calling) -> list[dict[str, Any]]:
    """Lists work of models on the server: there is none."""
    return []


@router.post("/requests", status_code=501, responses={501: {"model": Problem, "description": "Always."}})
async def create_function_request(_: Calling) -> Problem:
    """Refuses: no model annotates on the server."""
    raise _without_models()


@router.get("/requests/{request_id}")
async def read_function_request(
    _: Calling, request_id: Annotated[str, Path(description="Name of the work.")]
) -> dict[str, Any]:
    """Finds none."""
    raise errors.NotFound("request", request_id[:80])


def _without_models() -> errors.Unimplemented:
    return errors.Unimplemented("no model annotates on the server: annotate with one on your side instead")
