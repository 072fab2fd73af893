"""OpenTelemetry spans over OTLP/HTTP. The packages come with the extra `otel` and load only when an endpoint is set."""

from zhuli.core.errors import ConfigurationError
from zhuli.core.telemetry import Tracer


def make_tracer(endpoint: str | None) -> Tracer | None:
    """A tracer that exports to `endpoint` (like http://127.0.0.1:4318); None without one."""
    if endpoint is None:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ConfigurationError("otel_endpoint needs the extra 'otel': pip install 'zhuli[otel]'.") from error
    provider = TracerProvider(resource=Resource.create({"service.name": "zhuli"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")))
    tracer: Tracer = provider.get_tracer("zhuli")
    return tracer
