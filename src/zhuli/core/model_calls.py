"""What is counted, timed and traced of each call of a model, whoever makes it: chats, embeddings, predictions, searches.

Spans have the names and attributes of OpenTelemetry's semantic conventions for generative AI
(github.com/open-telemetry/semantic-conventions-genai); buckets of histograms are those that they advise, up to minutes.
"""

import time
from asyncio import CancelledError
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from zhuli.core.errors import BackendError, InvalidRequest, NotFound, RateLimited, Unavailable
from zhuli.core.origin import origin

Operation = Literal["chat", "text_completion", "embeddings", "prediction", "retrieval"]
"""The conventions' word for each; they have none for predictions."""

MOST_PAIRS = 200
"""Models with projects that have numbers of their own in a process; all after them are counted together."""

OTHER, NOBODY = "other", "none"

SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68)
FIRST_TOKEN_SECONDS = (0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10, 30, 60, 120)
TOKEN_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5)


class CallSpan(Protocol):
    """A span that is begun in one task and ended perhaps in another."""

    def set_attribute(self, key: str, value: Any) -> None: ...

    def end(self) -> None: ...


class Begin(Protocol):
    """Begins a span, a child of the one that is open."""

    def __call__(self, name: str, attributes: dict[str, object]) -> CallSpan | None: ...


class ModelCalls:
    """One for a process; made by Telemetry."""

    def __init__(self, registry: CollectorRegistry, begin: Begin) -> None:
        whose = ["model", "project"]
        self.begin_span = begin
        self.calls = Counter(
            "zhuli_model_calls",
            "Calls of models by how they ended",
            ["operation", *whose, "outcome"],
            registry=registry,
        )
        self.seconds = Histogram(
            "zhuli_model_call_seconds",
            "One call of a model, from first to last",
            ["operation", *whose],
            buckets=SECONDS,
            registry=registry,
        )
        self.in_flight = Gauge(
            "zhuli_model_calls_in_flight", "Calls of models that go on", ["operation", "model"], registry=registry
        )
        self.first_token_seconds = Histogram(
            "zhuli_first_token_seconds",
            "Model call to its first piece",
            whose,
            buckets=FIRST_TOKEN_SECONDS,
            registry=registry,
        )
        self.token_seconds = Histogram(
            "zhuli_output_token_seconds",
            "A token of an answer, after the first",
            whose,
            buckets=TOKEN_SECONDS,
            registry=registry,
        )
        self.tokens = Counter("zhuli_tokens", "Tokens by kind", [*whose, "kind"], registry=registry)
        self.texts = Counter("zhuli_texts", "Texts embedded, predicted or searched for", whose, registry=registry)
        self._known: set[tuple[str, str]] = set()

    def begin(self, operation: Operation, model: str, provider: str, **attributes: object) -> "Call":
        """The call begins now; end() must follow."""
        return Call(self, operation, model, provider, attributes)

    @contextmanager
    def call(self, operation: Operation, model: str, provider: str) -> Iterator["Call"]:
        """A call that is over with the block, and fails as the block does."""
        call = self.begin(operation, model, provider)
        try:
            yield call
        except BaseException as error:
            call.end(error)
            raise
        call.end()

    def bounded(self, model: str) -> tuple[str, str]:
        """The values of the labels; a client can't make more of them than MOST_PAIRS and the models that there are."""
        pair = (model, project())
        if pair not in self._known:
            if len(self._known) >= MOST_PAIRS:
                return OTHER, OTHER
            self._known.add(pair)
        return pair


class Call:
    """One call of a model, from when it is made until end()."""

    def __init__(
        self, of: ModelCalls, operation: Operation, model: str, provider: str, attributes: dict[str, object]
    ) -> None:
        self._of = of
        self._operation = operation
        self._labels = of.bounded(model)
        self._began = time.perf_counter()
        self._first: float | None = None
        self._written = 0
        self._ended = False
        named = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
            **attributes,
        }
        self._span = of.begin_span(f"{operation} {model}", named)
        of.in_flight.labels(operation, self._labels[0]).inc()

    def piece(self) -> None:
        """A piece of the answer has come."""
        if self._first is None:
            self._first = time.perf_counter()
            self._of.first_token_seconds.labels(*self._labels).observe(self._first - self._began)
            self.note("gen_ai.response.time_to_first_chunk", self._first - self._began)

    def used(self, prompt: int, completion: int, cached: int = 0) -> None:
        """Tokens. cached: of the prompt's, those that were read from a cache."""
        for kind, count in (("prompt", prompt), ("completion", completion), ("cached", cached)):
            self._of.tokens.labels(*self._labels, kind).inc(count)
        self._written = completion
        self.note("gen_ai.usage.input_tokens", prompt)
        self.note("gen_ai.usage.output_tokens", completion)
        self.note("gen_ai.usage.cache_read.input_tokens", cached)

    def given(self, texts: int) -> None:
        """How many texts the call is for."""
        self._of.texts.labels(*self._labels).inc(texts)

    def note(self, name: str, value: object) -> None:
        """An attribute of the span."""
        if self._span is not None:
            self._span.set_attribute(name, value)

    def end(self, error: BaseException | None = None) -> None:
        """The call is over, perhaps by an error; only the first time counts."""
        if self._ended:
            return
        self._ended = True
        now, outcome = time.perf_counter(), outcome_of(error)
        self._of.in_flight.labels(self._operation, self._labels[0]).dec()
        self._of.calls.labels(self._operation, *self._labels, outcome).inc()
        self._of.seconds.labels(self._operation, *self._labels).observe(now - self._began)
        if self._first is not None and self._written > 1:
            self._of.token_seconds.labels(*self._labels).observe((now - self._first) / (self._written - 1))
        if self._span is not None:
            if error is not None:
                self._span.set_attribute("error.type", outcome)
            self._span.end()


def project() -> str:
    """Whose work is being done."""
    asked = origin.get()
    return (asked and asked.project) or NOBODY


def outcome_of(error: BaseException | None) -> str:
    """How a call ended, in one of a few words: "ok", "cancelled", or the kind of the error."""
    match error:
        case None:
            return "ok"
        case CancelledError() | GeneratorExit():
            return "cancelled"
        case BackendError():
            return error.run_code
        case RateLimited():
            return "limited"
        case InvalidRequest() | NotFound():
            return "invalid_request"
        case Unavailable():
            return "unavailable"
        case _:
            return "internal_error"
