"""Who may act in the name of somebody, and in what."""

import importlib
from collections.abc import AsyncIterator
from pathlib import Path

import frameyard
import grpc
import pytest
from yard.runtime import errors, rpc
from yard.runtime.auth import Principal
from yard.runtime.rpc.acting import METHODS, acting

from libs.runtime.tests.rpc_probe import ANN, NAME, Probe, Serving, Stub, fault_of, serve

EXPORT = Principal(user_id=0, username="export", role="service", service="export")
CREATE_TASK = "/frameyard.task.v1.TaskService/CreateTask"


def named(user_id: int, username: str = "ann") -> bytes:
    ((_, value),) = rpc.acts_for(user_id, username)
    return value


def test_a_service_stands_for_a_user_where_that_is_listed() -> None:
    found = acting(EXPORT, CREATE_TASK, named(7, "Änn: x"))
    assert found == Principal(user_id=7, username="Änn: x", role="user")


@pytest.mark.parametrize(
    ("caller", "method"),
    [
        (EXPORT, "/frameyard.task.v1.TaskService/UpdateTask"),
        (EXPORT, f"/{NAME}/One"),
        (Principal(user_id=0, username="chunking", role="service", service="chunking"), CREATE_TASK),
        (Principal(user_id=4, username="root", role="admin"), CREATE_TASK),
        (Principal(user_id=4, username="export", role="user", service="export"), CREATE_TASK),
    ],
)
def test_nobody_else_and_nowhere_else(caller: Principal, method: str) -> None:
    with pytest.raises(errors.PermissionDenied) as refused:
        acting(caller, method, named(7))
    assert refused.value.reason == "MAY_NOT_ACT"


@pytest.mark.parametrize("value", [b"", b"0:nobody", b"-1:ann", b"ann", b":ann", "٣:ann".encode()])
def test_somebody_must_be_named(value: bytes) -> None:
    with pytest.raises(errors.InvalidArgument):
        acting(EXPORT, CREATE_TASK, value)


def test_the_methods_are_there() -> None:
    [root] = frameyard.__path__
    known = set()
    for file in Path(root).glob("*/v1/*_service_pb2.py"):
        module = importlib.import_module(".".join(file.with_suffix("").parts[-4:]))
        for service in module.DESCRIPTOR.services_by_name.values():
            known |= {f"/{service.full_name}/{method.name}" for method in service.methods}
    assert {method for methods in METHODS.values() for method in methods} <= known


@pytest.fixture
async def serving() -> AsyncIterator[Serving]:
    async with serve(Probe().servicer()) as serving:
        yield serving


@pytest.mark.parametrize("caller", [ANN, EXPORT])
async def test_who_may_not_is_told_so_by_every_server(serving: Serving, caller: Principal) -> None:
    async with serving.channel(caller) as channel:
        fault = await fault_of(Stub(channel).one(metadata=rpc.acts_for(9, "bob")))
    assert fault.code() is grpc.StatusCode.PERMISSION_DENIED
    assert rpc.errors_from_rpc(fault).reason == "MAY_NOT_ACT"
