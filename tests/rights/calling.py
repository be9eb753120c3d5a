"""Calls any method by its description, and says what came of it."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import frameyard
import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from yard.runtime import rpc

if TYPE_CHECKING:
    from grpc.aio import Channel

    from tests.rights.parts import Part
    from tests.rights.scene import Scene
    from tests.rights.table import Answer

# An operation that is not over is watched until its first message.
_DEADLINE_S = 60.0
_WITHOUT_TOKEN = frozenset({"TOKEN_MISSING", "TOKEN_EXPIRED", "TOKEN_INVALID", "ACCOUNT_INACTIVE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """How a method is called; `shows` tells whether an answer has the thing in it, for lists.

    `lets_in` are codes with which the method may end for those who may call it, because it then looks at what
    the scene does not have; `before` is a statement on the rows of the scene's task ($1) and project ($2);
    `parts` bring into the scene what other services have. A call that is `alone` waits for others. Of several
    `targets` that it names, these are what may be hidden; without any, all.
    """

    request: Callable[[Scene], Message | Sequence[Message]]
    shows: Callable[[Any, Scene], bool] | None = None
    lets_in: frozenset[str] = frozenset()
    before: str = ""
    in_project: bool = True
    has_target: bool = True
    parts: tuple[Part, ...] = ()
    alone: bool = False
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A code with message and details, or a response."""

    code: str
    message: str = ""
    details: bytes = b""
    reason: str = ""
    response: Any = None

    def renamed(self, old: str, new: str) -> Outcome:
        """As if it had been about something else."""
        details = self.details.replace(old.encode(), new.encode())
        return replace(self, message=self.message.replace(old, new), details=details)


def methods() -> dict[str, MethodDescriptor]:
    """All of them, as `task.v1.TaskService/GetTask`."""
    found: dict[str, MethodDescriptor] = {}
    [root] = frameyard.__path__
    for file in sorted(Path(root).glob("*/v1/*_service_pb2.py")):
        module = f"frameyard.{file.parts[-3]}.v1.{file.stem}"
        for service in importlib.import_module(module).DESCRIPTOR.services_by_name.values():
            name = service.full_name.removeprefix("frameyard.")
            found |= {f"{name}/{method.name}": method for method in service.methods}
    return found


async def outcome(
    channel: Channel, method: MethodDescriptor, request: Message | Sequence[Message]
) -> Outcome:
    """What came of a call."""
    try:
        return Outcome(code="OK", response=await _first_answer(channel, method, request))
    except grpc.aio.AioRpcError as error:
        known = rpc.errors_from_rpc(error)
        trailing = dict(cast("Any", error.trailing_metadata()) or ())
        return Outcome(
            code=error.code().name,
            message=error.details() or "",
            details=trailing.get("grpc-status-details-bin", b""),
            reason=known.reason,
        )


def answer_of(found: Outcome, call: Call, scene: Scene) -> Answer | str:
    """In the words of the table; the code for what the table has no word for."""
    if found.code == "OK":
        is_shown = call.shows is None or call.shows(found.response, scene)
        return "yes" if is_shown else "hidden"
    if found.code in call.lets_in:
        return "yes"
    words = {"PERMISSION_DENIED": "no", "NOT_FOUND": "hidden"}
    if found.code == "UNAUTHENTICATED" and found.reason in _WITHOUT_TOKEN:
        return "token"
    return words.get(found.code, f"{found.code}: {found.message}")


async def _first_answer(
    channel: Channel, method: MethodDescriptor, request: Message | Sequence[Message]
) -> Any:
    path = f"/{method.containing_service.full_name}/{method.name}"
    serializer = type(request if isinstance(request, Message) else request[0]).SerializeToString
    deserializer = GetMessageClass(method.output_type).FromString
    shape = (
        "stream" if method.client_streaming else "unary",
        "stream" if method.server_streaming else "unary",
    )
    make = getattr(channel, "_".join(shape))
    stub = make(path, request_serializer=serializer, response_deserializer=deserializer)
    if method.client_streaming:
        assert not isinstance(request, Message)
        return await stub(_each(request), timeout=_DEADLINE_S)
    call = stub(request, timeout=_DEADLINE_S)
    if not method.server_streaming:
        return await call
    first = None
    async for response in call:
        first = first or response
        if method.name.startswith("Watch"):
            call.cancel()
            break
    return first


async def _each(requests: Sequence[Message]) -> AsyncIterator[Message]:
    for request in requests:
        yield request
