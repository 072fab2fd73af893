"""Spans that go to an OpenTelemetry collector over OTLP/HTTP. Needs the extra `otel`: import it through core.traces.

The provider is the tracer's own: nothing global is set, so several apps can live in one process.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from zhuli.core.model_calls import CallSpan
from zhuli.core.origin import origin
from zhuli.core.telemetry import Span

_EXPORT_SECONDS = 3.0
"""How long an export may take, and so about how long a collector that does not answer can hold up the end."""


class OtlpTracer:
    """Spans of one service. A span inside none goes on with the trace of the request that it goes back to."""

    def __init__(self, endpoint: str, service: str) -> None:
        exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=_EXPORT_SECONDS)
        self._provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("zhuli")

    @contextmanager
    def span(self, name: str, attributes: dict[str, Any]) -> Iterator[Span]:
        with self._tracer.start_as_current_span(name, context=_parent(), attributes=attributes) as span:
            yield span

    def begin(self, name: str, attributes: dict[str, Any]) -> CallSpan:
        return self._tracer.start_span(name, context=_parent(), kind=SpanKind.CLIENT, attributes=attributes)

    def close(self) -> None:
        self._provider.shutdown()


def _parent() -> Context | None:
    """None for the span that is open."""
    asked = origin.get()
    if asked is None or asked.traceparent is None or get_current_span().get_span_context().is_valid:
        return None
    return TraceContextTextMapPropagator().extract({"traceparent": asked.traceparent})
