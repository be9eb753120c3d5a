"""The description of this API, where tools look for it."""

from typing import Any

from fastapi import APIRouter, Request, Response
from yard.gateway.edge.describing import PUBLIC
from yard.gateway.edge.limits import Counted

router = APIRouter(tags=["schema"])


@router.get("/openapi.json", response_model=dict[str, Any], openapi_extra=PUBLIC)
async def read_document(request: Request, _: Counted) -> Response:
    """Answers this document, OpenAPI 3.1; needs no credentials."""
    return Response(request.app.state.document, media_type="application/json")
