"""Whether all that grows with an answer is linear: `python -m benchmarks.models.long_answers` prints seconds a megabyte.

Each column has an answer twice as long as the one before it; a row that is linear has the same figure in all of them.
"""

from collections.abc import Callable
from time import perf_counter

from zhuli.assistants.runs.citations.alignment import Alignment
from zhuli.assistants.runs.citations.citing import Citer
from zhuli.models.engines.completion import Answer
from zhuli.models.engines.event_lines import Body
from zhuli.models.engines.tool_call_pieces import ToolCallReader
from zhuli.models.engines.tool_calls import ToolCallText
from zhuli.types.models.generation import Delta, ToolCallDelta

SIZES = (250_000, 500_000, 1_000_000, 2_000_000)
PIECE = 5


def line_that_trickles(size: int) -> None:
    body = Body(2 * size + 1000)
    for _ in range(size // PIECE):
        list(body.feed(b"x" * PIECE))


def event_over_lines(size: int) -> None:
    list(Body(4 * size).feed(b"data: {\n" + b'data: "aaaa": 1,\n' * (size // 17)))


def whole_body(size: int) -> None:
    body = Body(2 * size)
    for piece in [b"{", *[b"x" * PIECE] * (size // PIECE)]:
        list(body.feed(piece))


def arguments(size: int) -> None:
    reader = ToolCallReader()
    for piece in ['{"a": "', *["}" * PIECE] * (size // PIECE), '"}']:
        reader.read({"index": 0, "function": {"name": "f", "arguments": piece}})


def call_in_text(size: int) -> None:
    reader = ToolCallText({"f"})
    for piece in ['{"name": "f", "arguments": {"a": "', *["}" * PIECE] * (size // PIECE), '"}}']:
        reader.feed(piece)


def chat_completion(size: int) -> None:
    answer = Answer()
    for _ in range(size // PIECE):
        answer.add(Delta(tool_calls=(ToolCallDelta(0, name="f", arguments="x" * PIECE),)))
    answer.choice(0)


def citing(text: str) -> Callable[[int], None]:
    def cite(size: int) -> None:
        citer = Citer({}, Alignment(["A passage about something that happened in 1999."]))
        for _ in range(size // PIECE):
            citer.feed(text * PIECE)

    return cite


ROWS: dict[str, Callable[[int], None]] = {
    "a line that trickles": line_that_trickles,
    "an event over many lines": event_over_lines,
    "a body without events": whole_body,
    "arguments of a call": arguments,
    "a call in text": call_in_text,
    "calls of a chat completion": chat_completion,
    "citing, no sentence ends": citing("a"),
    "citing, each letter ends one": citing("！"),
    "citing, spaces": citing(" "),
}


def main() -> None:
    """Print the table."""
    print(f"| {'s/MB':29} | " + " | ".join(f"{size / 1e6:>5} MB" for size in SIZES) + " |")
    print("| --- " * (len(SIZES) + 1) + "|")
    for name, work in ROWS.items():
        figures = []
        for size in SIZES:
            began = perf_counter()
            work(size)
            figures.append(f"{(perf_counter() - began) / size * 1e6:8.2f}")
        print(f"| {name:29} | " + " | ".join(figures) + " |")


if __name__ == "__main__":
    main()
