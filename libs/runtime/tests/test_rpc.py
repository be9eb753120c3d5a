import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from prometheus_client import REGISTRY
from yard.runtime import errors, rpc
from yard.runtime.auth import Principal, TokenIssuer
from yard.testkit import eventually

from libs.runtime.tests.rpc_probe import ANN, NAME, Probe, Serving, Stub, Unary, fault_of, serve


@pytest.fixture
def probe() -> Probe:
    return Probe()


@pytest.fixture
async def serving(probe: Probe) -> AsyncIterator[Serving]:
    async with serve(probe.servicer()) as serving:
        yield serving


@pytest.fixture
async def stub(serving: Serving) -> AsyncIterator[Stub]:
    async with serving.channel() as channel:
        yield Stub(channel)


def raising(fault: BaseException) -> Unary:
    async def answer(text: str) -> str:
        raise fault

    return answer


async def error_of(stub: Stub) -> errors.YardError:
    return rpc.errors_from_rpc(await fault_of(stub.one()))


async def test_all_four_shapes_answer_for_the_caller(stub: Stub, probe: Probe) -> None:
    assert await stub.one("a") == "a"
    assert await stub.many("a b c") == ["a", "b", "c"]
    assert await stub.gathered("a", "b") == "a b"
    assert await stub.both("a", "b") == ["a", "b"]
    assert probe.callers == [ANN]


async def test_faults_reach_the_caller_in_all_four_shapes(stub: Stub, probe: Probe) -> None:
    probe.answer = raising(errors.OutOfRange("past the end"))
    for call in (stub.one(), stub.many("a b"), stub.gathered("a"), stub.both("a")):
        fault = await fault_of(call)
        assert (fault.code(), fault.details()) == (grpc.StatusCode.OUT_OF_RANGE, "past the end")


async def test_refusals_name_every_field(stub: Stub, probe: Probe) -> None:
    fault = errors.invalid("name", "is empty") + errors.invalid("size", "is negative")
    probe.answer = raising(fault)
    raised = await fault_of(stub.one())
    assert raised.code() is grpc.StatusCode.INVALID_ARGUMENT
    trailing = dict(raised.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailing["grpc-status-details-bin"])
    info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(request)
    assert (info.reason, info.domain) == ("INVALID_ARGUMENT", "frameyard")
    assert [item.field for item in request.field_violations] == ["name", "size"]

    error = rpc.errors_from_rpc(raised)
    assert isinstance(error, errors.InvalidArgument)
    assert error.violations == fault.violations


async def test_very_many_violations_are_cut_to_what_headers_hold(stub: Stub, probe: Probe) -> None:
    violations = [errors.Violation(f"labels[{number}].name", "ä" * 100) for number in range(2_000)]
    probe.answer = raising(errors.InvalidArgument("labels are wrong", violations))
    error = await error_of(stub)
    assert isinstance(error, errors.InvalidArgument)
    assert 0 < len(error.violations) < 30
    assert f"and {2_000 - len(error.violations)} more" in error.message


async def test_a_crash_shows_an_id_and_nothing_of_itself(stub: Stub, probe: Probe) -> None:
    probe.answer = raising(KeyError("postgresql://user:secret@host"))
    raised = await fault_of(stub.one())
    assert raised.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in str(raised)
    error = rpc.errors_from_rpc(raised)
    assert error.metadata["error_id"] in error.message


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (errors.NotFound("task", "x" * 100_000), grpc.StatusCode.NOT_FOUND),
        (errors.Internal("x", metadata={"path": "x" * 100_000}), grpc.StatusCode.INTERNAL),
        (errors.invalid("name", "ä" * 100_000), grpc.StatusCode.INVALID_ARGUMENT),
        (errors.invalid("a" * 100_000, "x"), grpc.StatusCode.INVALID_ARGUMENT),
    ],
    ids=["name", "metadata", "description", "field"],
)
async def test_long_texts_are_cut(
    stub: Stub, probe: Probe, fault: errors.YardError, code: grpc.StatusCode
) -> None:
    probe.answer = raising(fault)
    raised = await fault_of(stub.one())
    assert raised.code() is code
    assert len(raised.details() or "") <= 501
    error = rpc.errors_from_rpc(raised)
    assert type(error) is type(fault)
    assert error.reason == fault.reason
    if isinstance(error, errors.InvalidArgument):
        assert len(error.violations) == 1


async def test_without_a_token_only_public_methods_answer(serving: Serving) -> None:
    async with serving.channel(None) as channel:
        stub = Stub(channel)
        assert await stub.open() == "x"
        for call in (stub.one(), stub.many("a"), stub.gathered("a"), stub.both("a")):
            fault = await fault_of(call)
            assert fault.code() is grpc.StatusCode.UNAUTHENTICATED
            assert rpc.errors_from_rpc(fault).reason == "TOKEN_MISSING"


async def test_a_token_that_only_reads_is_refused_where_more_is_done(serving: Serving, probe: Probe) -> None:
    reader = replace(ANN, read_only=True)
    async with serving.channel(reader) as channel:
        stub = Stub(channel)
        for call in (stub.one(), stub.many("a"), stub.gathered("a"), stub.both("a")):
            fault = await fault_of(call)
            assert fault.code() is grpc.StatusCode.PERMISSION_DENIED
            assert rpc.errors_from_rpc(fault).reason == "READ_ONLY_TOKEN"
        assert [text async for text in stub.watch("a b")] == ["a", "b"]
        assert await stub.open() == "x"
    assert probe.callers == []


async def test_tokens_of_others_are_refused(serving: Serving) -> None:
    stranger = TokenIssuer.generate().issue(ANN).token
    expired = TokenIssuer(serving.issuer._key, ttl_s=-120).issue(ANN).token
    for token, reason in (
        (stranger, "TOKEN_INVALID"),
        ("x.y.z", "TOKEN_INVALID"),
        (expired, "TOKEN_EXPIRED"),
    ):
        async with rpc.channel(serving.address, token=token) as channel:
            fault = await fault_of(Stub(channel).one())
        assert fault.code() is grpc.StatusCode.UNAUTHENTICATED
        assert rpc.errors_from_rpc(fault).reason == reason


async def test_the_caller_does_not_leak_into_the_next_call(serving: Serving, probe: Probe) -> None:
    bob = Principal(user_id=8, username="bob", role="admin")
    async with serving.channel() as anns, serving.channel(bob) as bobs:
        await asyncio.gather(*(Stub(channel).one() for channel in (anns, bobs) * 10))
    assert sorted(caller.username for caller in probe.callers) == ["ann"] * 10 + ["bob"] * 10


async def test_a_deadline_ends_the_handler(stub: Stub, probe: Probe) -> None:
    was_cancelled = asyncio.Event()

    async def hang(text: str) -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            was_cancelled.set()
            raise
        return text

    probe.answer = hang
    fault = await fault_of(stub.one(timeout=0.1))
    assert fault.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await asyncio.wait_for(was_cancelled.wait(), 5)


async def test_a_timeout_of_the_handler_is_not_the_callers_deadline(stub: Stub, probe: Probe) -> None:
    probe.answer = raising(TimeoutError("of something inside"))
    assert isinstance(await error_of(stub), errors.Internal)


async def test_what_is_left_of_a_deadline_goes_to_the_next_service(serving: Serving, probe: Probe) -> None:
    """A call made for a call ends no later than that one."""
    inner = Probe()

    async def ask_further(text: str) -> str:
        async with inner_serving.channel() as channel:
            return await Stub(channel).one(text)

    async def hang(text: str) -> str:
        await asyncio.Event().wait()
        return text

    inner.answer, probe.answer = hang, ask_further
    async with serve(inner.servicer()) as inner_serving, serving.channel() as channel:
        await fault_of(Stub(channel).one(timeout=1))
        [left] = inner.seconds_left
        assert left is not None
        assert 0 < left <= 1
        # Its own deadline and the end of the call that it was made for come at the same time.
        await eventually(
            lambda: sum(counted(inner_serving, code) for code in ("DEADLINE_EXCEEDED", "CANCELLED"))
        )


def counted(serving: Serving, code: str) -> float:
    labels = {"service": "probe", "method": f"/{NAME}/One", "code": code}
    return REGISTRY.get_sample_value("frameyard_rpc_seconds_count", labels) or 0.0


async def test_calls_are_measured_by_their_code(serving: Serving, stub: Stub, probe: Probe) -> None:
    before = counted(serving, "OK"), counted(serving, "NOT_FOUND")
    await stub.one()
    probe.answer = raising(errors.NotFound("task", 1))
    await fault_of(stub.one())
    await eventually(
        lambda: (counted(serving, "OK"), counted(serving, "NOT_FOUND")) == (before[0] + 1, before[1] + 1)
    )


async def test_unknown_methods_stay_unknown(serving: Serving) -> None:
    async with serving.channel() as channel:
        call: Any = channel.unary_unary(f"/{NAME}/None")
        fault = await fault_of(call(b""))
        assert fault.code() is grpc.StatusCode.UNIMPLEMENTED
        assert isinstance(rpc.errors_from_rpc(fault), errors.Unimplemented)


async def test_health_tells_live_and_ready_apart(serving: Serving) -> None:
    async with serving.channel(None) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)

        async def status(service: str) -> str:
            answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
            return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)

        names = ["", "ready", NAME]
        assert [await status(name) for name in names] == ["SERVING", "NOT_SERVING", "NOT_SERVING"]
        await serving.server.set_ready(True)
        assert [await status(name) for name in names] == ["SERVING"] * 3


async def test_reflection_lists_the_services(serving: Serving) -> None:
    def listed() -> set[str]:
        with grpc.insecure_channel(serving.address) as channel:
            return set(ProtoReflectionDescriptorDatabase(channel).get_services())

    assert {NAME, "grpc.health.v1.Health"} <= await asyncio.to_thread(listed)


async def test_watches_end_when_the_server_goes_away(serving: Serving, probe: Probe) -> None:
    async def hang(text: str) -> str:
        if text == "hang":
            await asyncio.Event().wait()
        return text

    probe.answer = hang
    seen = []

    async def watch(stub: Stub) -> None:
        async for text in stub.watch("one hang"):
            seen.append(text)
            serving.boundary.end_watches()

    async with serving.channel() as channel:
        fault = await fault_of(watch(Stub(channel)))
        assert fault.code() is grpc.StatusCode.UNAVAILABLE
        assert rpc.errors_from_rpc(fault).reason == "DRAINING"
        assert seen == ["one"]
        later = await fault_of(watch(Stub(channel)))
        assert later.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_watch_ends_also_while_a_message_leaves(serving: Serving, probe: Probe) -> None:
    async def last(text: str) -> str:
        # Runs as soon as gRPC waits for the message to be sent.
        asyncio.get_running_loop().call_soon(serving.boundary.end_watches)
        return text

    probe.answer = last

    async def watch(stub: Stub) -> None:
        async for _ in stub.watch("one two"):
            pass

    async with serving.channel() as channel, asyncio.timeout(20):
        fault = await fault_of(watch(Stub(channel)))
    assert rpc.errors_from_rpc(fault).reason == "DRAINING"


async def test_a_taken_port_is_named(serving: Serving) -> None:
    with pytest.raises(errors.Unavailable, match=serving.address):
        async with serve(listen=serving.address):
            pass


async def test_a_server_that_is_down_is_asked_again(serving: Serving, probe: Probe) -> None:
    await serving.server.stop(0)
    async with serving.channel() as channel:
        call = asyncio.create_task(Stub(channel).one("late"))
        boundary = rpc.Boundary("probe", serving.boundary._verifier)
        again = rpc.Server(serving.address, boundary, [probe.servicer()])
        await again.start()
        assert await call == "late"
        await again.stop(0)


async def test_answers_are_not_asked_again(stub: Stub, probe: Probe) -> None:
    probe.answer = raising(errors.Conflict("lost"))
    assert isinstance(await error_of(stub), errors.Conflict)
    assert len(probe.callers) == 1


async def test_a_channel_asks_for_its_token_before_each_call(serving: Serving, probe: Probe) -> None:
    tokens = [serving.token(), serving.token(Principal(user_id=8, username="bob", role="user"))]

    async def next_token() -> str:
        return tokens.pop(0)

    async with rpc.channel(serving.address, token=next_token) as channel:
        await Stub(channel).one()
        await Stub(channel).one()
    assert [caller.username for caller in probe.callers] == ["ann", "bob"]


async def test_a_status_without_details_is_still_an_error_of_ours() -> None:
    async with rpc.channel("127.0.0.1:1") as channel:
        call: Any = channel.unary_unary("/x.Y/Z")
        fault = await fault_of(call(b"", timeout=0.2))
    error = rpc.errors_from_rpc(fault)
    assert type(error) in (errors.Unavailable, errors.DeadlineExceeded)
