"""Requests go on with the traces of their clients, and so do the calls that they make."""

import asyncio
import sys
from typing import Any

import grpc.aio
from frameyard.identity.v1 import identity_service_pb2 as identity
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

TRACE, CLIENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

# Traces are switched on for a whole process.
SCRIPT = """
import asyncio, sys
from frameyard.identity.v1 import identity_service_pb2, identity_service_pb2_grpc
from yard.gateway.edge.observing import Observed
from yard.gateway.upstream.services import NAME
from yard.runtime import rpc, tracing

address, traceparent = sys.argv[1:]

async def main():
    channel = rpc.channel(address)
    stub = identity_service_pb2_grpc.IdentityServiceStub(channel)

    async def app(scope, receive, send):
        await stub.GetSelf(identity_service_pb2.GetSelfRequest())

    headers = [(b"traceparent", traceparent.encode())]
    await Observed(app)({"type": "http", "method": "GET", "path": "/api/x", "headers": headers}, None, None)
    await channel.close()

flush = tracing.configure(NAME, f"http://{address}")
asyncio.run(main())
flush()
"""


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps what is exported."""

    def __init__(self) -> None:
        self.spans: list[ResourceSpans] = []

    async def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - as in the proto
        self.spans += request.resource_spans
        return trace_service_pb2.ExportTraceServiceResponse()


class Behind:
    """Keeps what a call carries."""

    def __init__(self) -> None:
        self.carried = ""

    async def get_self(self, request: Any, context: Any) -> identity.GetSelfResponse:
        self.carried = str(dict(context.invocation_metadata())["traceparent"])
        return identity.GetSelfResponse()

    def handler(self) -> grpc.GenericRpcHandler:
        method = grpc.unary_unary_rpc_method_handler(
            self.get_self, identity.GetSelfRequest.FromString, identity.GetSelfResponse.SerializeToString
        )
        service = identity.DESCRIPTOR.services_by_name["IdentityService"].full_name
        return grpc.method_handlers_generic_handler(service, {"GetSelf": method})


async def test_a_trace_goes_from_the_client_to_the_services_and_to_the_collector() -> None:
    server, collector, behind = grpc.aio.server(), Collector(), Behind()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    server.add_generic_rpc_handlers((behind.handler(),))
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        arguments = ("-c", SCRIPT, address, f"00-{TRACE}-{CLIENT}-01")
        child = await asyncio.create_subprocess_exec(sys.executable, *arguments)
        assert await asyncio.wait_for(child.wait(), 60) == 0
    finally:
        await server.stop(None)
    [found] = collector.spans
    names = {each.key: each.value.string_value for each in found.resource.attributes}
    assert names["service.name"] == "frameyard-gateway"
    [span] = found.scope_spans[0].spans
    assert (span.name, span.trace_id.hex(), span.parent_span_id.hex()) == ("HTTP GET", TRACE, CLIENT)
    assert behind.carried.split("-")[1:3] == [TRACE, span.span_id.hex()]
