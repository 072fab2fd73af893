"""What operators see of a running process: Prometheus metrics always, OpenTelemetry spans when an endpoint is set."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from zhuli.core.model_calls import SECONDS, CallSpan, ModelCalls, project


class Span(Protocol):
    """A piece of work that is being traced."""

    def set_attribute(self, key: str, value: Any) -> None: ...


class Tracer(Protocol):
    """Where spans go."""

    def span(self, name: str, attributes: dict[str, Any]) -> AbstractContextManager[Span]:
        """Trace what happens inside; a child of the span that is open, if there is one."""

    def begin(self, name: str, attributes: dict[str, Any]) -> CallSpan:
        """A child of the span that is open, which is not itself made the open one; its end() must follow."""

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
        self.text: Callable[[], Awaitable[bytes]] = self._text
        self.requests = Counter(
            "zhuli_http_requests", "HTTP requests", ["method", "route", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "zhuli_http_request_seconds",
            "Time to the response's first byte",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.runs_ended = Counter(
            "zhuli_runs_rested", "Executions by how they ended", ["status"], registry=self.registry
        )
        self.active_runs = Gauge("zhuli_runs_executing", "Runs that this process works on", registry=self.registry)
        self.run_seconds = Histogram(
            "zhuli_run_seconds",
            "Creation of a run to its rest",
            ["status", "project"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.run_wait_seconds = Histogram(
            "zhuli_run_wait_seconds",
            "Creation of a run to its claim",
            ["project"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.jobs_waiting = Gauge(
            "zhuli_jobs_waiting", "Jobs of the database that nobody works on", ["kind"], registry=self.registry
        )
        self.calls = ModelCalls(self.registry, self.begin_span)
        self.tool_calls = Counter(
            "zhuli_tool_calls", "Calls of tools that run here", ["tool", "status"], registry=self.registry
        )
        self.tool_seconds = Histogram(
            "zhuli_tool_seconds", "One such call", ["tool"], buckets=SECONDS, registry=self.registry
        )
        self.understanding_seconds = Histogram(
            "zhuli_understanding_seconds",
            "Understanding one message",
            ["understander"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.files_ingested = Counter(
            "zhuli_files_ingested",
            "Files of vector stores by how their ingestion ended",
            ["status"],
            registry=self.registry,
        )
        self.ingestion_seconds = Histogram(
            "zhuli_ingestion_seconds",
            "Ingestion of a file from its claim to its end",
            buckets=SECONDS,
            registry=self.registry,
        )
        self.chunks_ingested = Counter(
            "zhuli_chunks_ingested",
            "Chunks written: embedded for it, or known already",
            ["vector"],
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)

    @contextmanager
    def span(self, name: str, **attributes: Any) -> Iterator[Span]:
        """Trace what happens inside."""
        if self._tracer is None:
            yield _NO_SPAN
            return
        with self._tracer.span(name, attributes) as span:
            yield span

    def tool_span(self, function: str, *, kind: str, call: str) -> AbstractContextManager[Span]:
        """Trace one call of a function of the tool `kind`."""
        named = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": function,
            "gen_ai.tool.call.id": call,
            "gen_ai.tool.type": "datastore" if kind == "file_search" else "function",
            "zhuli.tool": kind,
        }
        return self.span(f"execute_tool {function}", **named)

    def begin_span(self, name: str, attributes: dict[str, Any]) -> CallSpan | None:
        """A span of a call that is ended elsewhere; None where nobody looks."""
        return None if self._tracer is None else self._tracer.begin(name, attributes)

    def run_claimed(self, waited: float) -> None:
        """A new run was taken up, so many seconds after it was made."""
        self.run_wait_seconds.labels(project()).observe(max(0.0, waited))

    def run_rested(self, status: str, seconds: float) -> None:
        """A run has ended, or waits for its client."""
        self.runs_ended.labels(status).inc()
        self.run_seconds.labels(status, project()).observe(max(0.0, seconds))

    async def _text(self) -> bytes:
        """What Prometheus is given, of this process."""
        return generate_latest(self.registry)

    async def aclose(self) -> None:
        """Send the spans that have not been sent."""
        if self._tracer is not None:
            await asyncio.to_thread(self._tracer.close)
