"""Who calls: by session cookie, token, personal access token or password, as CVAT's clients do."""

import base64
import binascii
import hmac
from hashlib import sha256
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from yard.gateway.edge.limits import Limits
from yard.gateway.upstream.caller import Caller
from yard.gateway.upstream.credentials import Credentials
from yard.runtime import errors

SESSION_COOKIE: Final = "sessionid"
CSRF_COOKIE: Final = "csrftoken"
CSRF_HEADER: Final = "x-csrftoken"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


async def caller_of(request: Request) -> Caller:
    """The caller; Unauthenticated without valid credentials, NotFound for an unknown organization."""
    credentials: Credentials = request.app.state.credentials
    kind, secret = _shown(request)
    token = await _exchanged(request, credentials, kind, secret)
    principal = await credentials.principal(token)
    _check_organization(request)
    return Caller(
        services=request.app.state.services,
        principal=principal,
        token=token,
        base_url=base_url(request),
        credential=credentials.digest(kind, secret),
    )


async def known_caller_of(request: Request) -> Caller:
    """The same; ResourceExhausted where an address shows wrong credentials too often."""
    try:
        return await caller_of(request)
    except errors.Unauthenticated:
        if not getattr(request.state, "is_counted", False):
            _count_unknown(request)
        raise


async def counted_caller_of(request: Request) -> Caller:
    """The same, once a request; ResourceExhausted for more of them than are allowed."""
    caller = await known_caller_of(request)
    limits: Limits = request.app.state.limits
    limits.count_known(caller.principal, caller.credential)
    return caller


Calling = Annotated[Caller, Depends(counted_caller_of)]


def base_url(request: Request) -> str:
    """The address that the client used, or the one that the operator says clients use."""
    fixed: str = request.app.state.settings.public_url
    return fixed.rstrip("/") if fixed else str(request.base_url).rstrip("/")


def csrf_token(session_key: str) -> str:
    """What a page must send beside the cookie of a session; nobody who cannot read the cookie can tell it."""
    return hmac.new(session_key.encode(), b"csrf", sha256).hexdigest()


def session_key(request: Request) -> str:
    """The key of the session that the request belongs to; empty: none."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "token":
        return value.strip()
    return request.cookies.get(SESSION_COOKIE, "")


def personal_token(request: Request) -> str:
    """The personal access token that the request carries; empty: none."""
    kind, secret = _shown(request)
    return secret if kind == "bearer" and not _is_of_identity(secret) else ""


def _shown(request: Request) -> tuple[str, str]:
    """Kind and secret; a header wins over a cookie."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    kind = {"bearer": "bearer", "token": "session", "basic": "basic"}.get(scheme.lower())
    if kind is not None and value.strip():
        return kind, value.strip()
    key = request.cookies.get(SESSION_COOKIE, "")
    if scheme or not key:
        raise errors.Unauthenticated("no credentials came with the request", reason="TOKEN_MISSING")
    _check_csrf(request, key)
    return "session", key


def _check_csrf(request: Request, key: str) -> None:
    if request.method in SAFE_METHODS:
        return
    shown = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(shown.encode(), csrf_token(key).encode()):
        raise errors.PermissionDenied(
            "a change by a session needs the header X-CSRFToken with the value of the cookie csrftoken",
            reason="CSRF",
        )


async def _exchanged(request: Request, credentials: Credentials, kind: str, secret: str) -> str:
    if kind == "session":
        return await credentials.of_session(secret)
    if kind == "basic":
        username, password = _user_and_password(secret)
        if not credentials.has_password(username, password):
            # It costs what a login costs, and there are as many of them.
            request.state.is_counted = True
            _count_unknown(request)
        return await credentials.of_password(username, password)
    return secret if _is_of_identity(secret) else await credentials.of_personal_token(secret)


def _count_unknown(request: Request) -> None:
    limits: Limits = request.app.state.limits
    limits.count_unknown(request)


def _is_of_identity(secret: str) -> bool:
    """Tokens of identity have three parts; those of people have none."""
    return secret.count(".") == 2


def _user_and_password(encoded: str) -> tuple[str, str]:
    try:
        username, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as fault:
        raise errors.Unauthenticated("the credentials are malformed") from fault
    if not colon:
        raise errors.Unauthenticated("the credentials are malformed")
    return username, password


def _check_organization(request: Request) -> None:
    """There is the personal workspace only; an empty name means it."""
    named: Any = request.headers.get("x-organization") or request.query_params.get("org")
    if named or request.query_params.get("org_id"):
        raise errors.NotFound("organization", str(named or request.query_params["org_id"]))
