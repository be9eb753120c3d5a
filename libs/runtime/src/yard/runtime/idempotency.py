"""Requests that happen once: a repeat with the same request id gets the first answer.

The record is written in the transaction of the change itself, so that either both or none exist. Two requests
with one id at the same time are put in order by an advisory lock.
"""

import hashlib
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar

from google.protobuf.message import Message
from yard.runtime import auth, errors
from yard.runtime.db import Transaction

M = TypeVar("M", bound=Message)


async def once(
    tx: Transaction,
    request_id: str,
    request: Message,
    response_type: type[M],
    run: Callable[[], Awaitable[M]],
    *,
    digest: bytes | None = None,
) -> M:
    """Run the change, or answer as the first request of the caller with this id did.

    `digest` stands for the request where `request` is only the first message of several.
    Raises InvalidArgument if the id is no UUID or was used with another request.
    """
    if not request_id:
        return await run()
    key, digest = _key(request_id, request), digest or _digest(request)
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", key)
    known = await tx.fetchrow("SELECT digest, response FROM request_record WHERE key = $1", key)
    if known is not None:
        if known["digest"] != digest:
            raise errors.invalid("request_id", "was used with another request")
        return response_type.FromString(known["response"])
    response = await run()
    await tx.execute(
        "INSERT INTO request_record (key, digest, response) VALUES ($1, $2, $3)",
        key,
        digest,
        response.SerializeToString(),
    )
    return response


def _key(request_id: str, request: Message) -> str:
    try:
        canonical = uuid.UUID(request_id)
    except ValueError:
        raise errors.invalid("request_id", f"must be a UUID, got {request_id[:64]!r}") from None
    caller = auth.current()
    return f"{caller.user_id}/{caller.service}/{request.DESCRIPTOR.full_name}/{canonical}"


def _digest(request: Message) -> bytes:
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
