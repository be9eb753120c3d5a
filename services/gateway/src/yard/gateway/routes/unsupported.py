"""Parts of CVAT's API that there is nothing behind: 501 and why, so that nobody takes them for mistyped."""

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import APIRouter
from yard.gateway.edge.paging import Problem
from yard.runtime import errors

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
REASONS: Final = {
    "/analytics": "there are no reports on how people work",
    "/assets": "there are no guides, and no pictures of them",
    "/auth/password/reset": "administrators set forgotten passwords; no mail is sent",
    "/auth/rules": "rules of access are not kept outside",
    "/auth/signing": "addresses are not signed: send credentials in a header",
    "/cloudstorages": "cloud storages are not connected by people: the operator connects shares",
    "/consensus": "jobs have no replicas",
    "/events": "what clients log is not kept",
    "/functions": "no agents annotate for the server",
    "/growth": "what people use the server for is not asked",
    "/guides": "there are no guides",
    "/invitations": "there are no organizations to invite to",
    "/lambda": "no model annotates on the server",
    "/memberships": "there are no organizations to be a member of",
    "/organizations": "there are no organizations: projects and assignees say who sees what",
    "/quality": "there are no jobs with a ground truth, and no reports on quality",
}
"""By path, and for all that is below it and not answered elsewhere."""

router = APIRouter(tags=["unsupported"], include_in_schema=False)


def _refusing(reason: str) -> Callable[[], Awaitable[Problem]]:
    async def refuse() -> Problem:
        """Refuses."""
        raise errors.Unimplemented(reason)

    return refuse


for _path, _reason in REASONS.items():
    for _form in (_path, _path + "/{rest:path}"):
        router.add_api_route(_form, _refusing(_reason), methods=list(METHODS))
