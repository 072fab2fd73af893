"""Tracing, when it is asked for: the packages come with the extra `otel` and load only when an endpoint is set."""

from importlib import import_module

from zhuli.core.errors import ConfigurationError
from zhuli.core.telemetry import Tracer


def make_tracer(endpoint: str | None, service: str) -> Tracer | None:
    """A tracer that exports to `endpoint` (like http://127.0.0.1:4318) under the name `service`; None without one."""
    if endpoint is None:
        return None
    try:
        tracer: Tracer = import_module("zhuli.core.otlp").OtlpTracer(endpoint, service)
    except ModuleNotFoundError as error:
        raise ConfigurationError("otel_endpoint needs the extra 'otel': pip install 'zhuli[otel]'.") from error
    return tracer
