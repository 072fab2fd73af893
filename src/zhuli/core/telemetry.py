"""What operators see of a running process: Prometheus metrics always, OpenTelemetry spans when an endpoint is set."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Span(Protocol):
    """A piece of work that is being traced."""

    def set_attribute(self, key: str, value: Any) -> None: ...


class Tracer(Protocol):
    """Where spans go."""

    def span(self, name: str, attributes: dict[str, Any]) -> AbstractContextManager[Span]:
        """Trace what happens inside; a child of the span that is open, if there is one."""

    def close(self) -> None:
        """Send what has not been sent; may take seconds, and blocks."""


class _NoSpan:
    def set_attribute(self, key: str, value: Any) -> None:
        """Nobody looks."""


_NO_SPAN = _NoSpan()


class Telemetry:
    """Metrics in a registry of their own, so that several apps can live in one process (as tests have them)."""

    def __init__(self, tracer: Tracer | None = None) -> None:
        self._tracer = tracer
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "zhuli_http_requests", "HTTP requests", ["method", "route", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "zhuli_http_request_seconds", "Time to the response's first byte", ["route"], registry=self.registry
        )
        self.runs_ended = Counter(
            "zhuli_runs_rested", "Executions by how they ended", ["status"], registry=self.registry
        )
        self.active_runs = Gauge("zhuli_runs_executing", "Runs that this process works on", registry=self.registry)
        self.first_token_seconds = Histogram(
            "zhuli_first_token_seconds", "Model call to its first piece", ["model"], registry=self.registry
        )
        self.turn_seconds = Histogram("zhuli_turn_seconds", "One call of a model", ["model"], registry=self.registry)
        self.tool_calls = Counter(
            "zhuli_tool_calls", "Calls of tools that run here", ["tool", "status"], registry=self.registry
        )
        self.tool_seconds = Histogram("zhuli_tool_seconds", "One such call", ["tool"], registry=self.registry)
        self.understanding_seconds = Histogram(
            "zhuli_understanding_seconds", "Understanding one message", ["understander"], registry=self.registry
        )
        self.tokens = Counter("zhuli_tokens", "Tokens by kind", ["model", "kind"], registry=self.registry)
        self.files_ingested = Counter(
            "zhuli_files_ingested",
            "Files of vector stores by how their ingestion ended",
            ["status"],
            registry=self.registry,
        )
        self.ingestion_seconds = Histogram(
            "zhuli_ingestion_seconds", "Ingestion of a file from its claim to its end", registry=self.registry
        )
        self.chunks_ingested = Counter(
            "zhuli_chunks_ingested",
            "Chunks written: embedded for it, or known already",
            ["vector"],
            registry=self.registry,
        )

    @contextmanager
    def span(self, name: str, **attributes: Any) -> Iterator[Span]:
        """Trace what happens inside."""
        if self._tracer is None:
            yield _NO_SPAN
            return
        with self._tracer.span(name, attributes) as span:
            yield span

    async def aclose(self) -> None:
        """Send the spans that have not been sent."""
        if self._tracer is not None:
            await asyncio.to_thread(self._tracer.close)
