"""Traces: W3C trace context over gRPC metadata and event headers; costs nothing unless an endpoint is set."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import context, propagate, trace
from opentelemetry.trace import SpanKind

_is_on = False


def configure(service: str, endpoint: str) -> Callable[[], None]:
    """Exports spans to an OTLP gRPC endpoint; call the result at the end to send what is left."""
    global _is_on
    # The exporter brings gRPC stubs and an SDK of several MiB: only who exports pays for it.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": f"frameyard-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, insecure=True)))
    trace.set_tracer_provider(provider)
    _is_on = True
    return provider.shutdown


def is_on() -> bool:
    """Whether this process makes spans."""
    return _is_on


@contextmanager
def continued(name: str, carrier: Mapping[str, str], kind: SpanKind = SpanKind.SERVER) -> Iterator[None]:
    """A span that goes on with the trace in `carrier` (headers or metadata); nothing if traces are off."""
    if not _is_on:
        yield
        return
    token = context.attach(propagate.extract(carrier))
    try:
        with trace.get_tracer("yard.runtime").start_as_current_span(name, kind=kind):
            yield
    finally:
        context.detach(token)


def carried() -> Iterable[tuple[str, str]]:
    """Metadata that hands the present trace on; empty if traces are off."""
    if not _is_on:
        return ()
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers.items()
