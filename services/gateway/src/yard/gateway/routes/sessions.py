"""Logging in and out."""

from typing import Annotated, Final

from fastapi import APIRouter, Body, Request, Response
from frameyard.identity.v1 import identity_service_pb2 as identity
from pydantic import BaseModel, ConfigDict
from yard.gateway.cvat.texts import Text
from yard.gateway.edge.callers import CSRF_COOKIE, SESSION_COOKIE, Calling, csrf_token, session_key
from yard.gateway.edge.describing import PUBLIC
from yard.gateway.edge.limits import Counted
from yard.gateway.upstream.anonymous import call
from yard.runtime import errors

router = APIRouter(prefix="/auth", tags=["auth"])

SESSION_S: Final = 14 * 24 * 3600


class LoginRequest(BaseModel):
    """A person's credentials; one of user name and e-mail is enough."""

    model_config = ConfigDict(extra="ignore")

    username: Text = ""
    email: Text = ""
    password: Text


class Key(BaseModel):
    """The key of a session, for `Authorization: Token <key>`."""

    key: str


class Detail(BaseModel):
    """What was done."""

    detail: str


@router.post("/login", openapi_extra=PUBLIC)
async def login(
    request: Request, response: Response, _: Counted, body: Annotated[LoginRequest, Body()]
) -> Key:
    """Opens a session: answers its key, and sets the cookies sessionid and csrftoken."""
    name = body.username or body.email
    asked = identity.OpenKeySessionRequest(username=name, password=body.password)
    try:
        answer = await call(request.app.state.services.identity.OpenKeySession, asked)
    except errors.Unauthenticated as fault:
        # Clients of CVAT expect 400, and take 404 and 401 for other things.
        raise errors.InvalidArgument(
            fault.message, [errors.Violation("non_field_errors", "user name or password are wrong")]
        ) from fault
    _set_cookies(request, response, answer.key)
    return Key(key=answer.key)


@router.post("/logout")
async def logout(request: Request, response: Response, _: Calling) -> Detail:
    """Ends the session of the request; tokens and passwords have none."""
    key = session_key(request)
    if key:
        request.app.state.credentials.forget_session(key)
        await call(
            request.app.state.services.identity.CloseKeySession, identity.CloseKeySessionRequest(key=key)
        )
    for name in (SESSION_COOKIE, CSRF_COOKIE):
        response.delete_cookie(name)
    return Detail(detail="logged out")


def _set_cookies(request: Request, response: Response, key: str) -> None:
    """Two Set-Cookie headers.

    CVAT's SDK joins them with ", " and reads that as one: each must end with an attribute that has a value,
    never with a flag such as HttpOnly. So flags come first and SameSite last.
    """
    secure = "; Secure" if request.app.state.settings.session_cookie_secure else ""
    rest = f"; Max-Age={SESSION_S}; Path=/; SameSite=Lax"
    for cookie in (f"{SESSION_COOKIE}={key}; HttpOnly", f"{CSRF_COOKIE}={csrf_token(key)}"):
        response.headers.append("set-cookie", cookie + secure + rest)
