"""What the rows came to, in a JSON file that grows row by row, and the tables in the documentation that are made of it."""

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks import kept_results
from benchmarks.kept_results import Result, markdown
from benchmarks.understanding.rows import ROWS, Row

KEPT = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[2] / "docs" / "understanding-results.md"
MARK = "<!-- {name}: {edge} of what make bench-understanding writes -->"

HEAD = (
    "data",
    "understander",
    "examples",
    "learned from / asked",
    "intent",
    "slot F1",
    "frame",
    "joint goal",
    "published",
)


def read() -> dict[str, Result]:
    """By the row's name."""
    return kept_results.read(KEPT)


def keep(name: str, result: Result) -> None:
    """Add or replace one row, also in the page's tables."""
    kept_results.keep(KEPT, name, result, order=(row.name for row in ROWS), show=_write_tables)


def line_of(result: Result) -> str:
    """For the terminal."""
    measures = ", ".join(f"{name} {percent(value)}" for name, value in result.get("measures", {}).items())
    return measures or json.dumps(result.get("speed", {}))


def _write_tables(results: dict[str, Result]) -> None:
    for name, table in (("table", answers), ("trade", trade), ("noise", noise), ("setups", setups), ("speed", speed)):
        begin, end = (MARK.format(name=name, edge=edge) for edge in ("begin", "end"))
        kept_results.put(PAGE, table(results), begin=begin, end=end)


def answers(results: dict[str, Result]) -> str:
    """How right the answers are, in the order of the rows."""
    kinds = ("messages", "outside", "dialogues")
    return markdown(HEAD, (_line(row, results[row.name]) for row in _done(results, kinds)))


def _line(row: Row, result: Result) -> tuple[str, ...]:
    outside = f" + {result['outside']:,}" if "outside" in result else ""
    return (
        f"{row.data}: {row.note}" if row.note else row.data,
        _who(row),
        str(row.each or "all"),
        f"{result['train']:,} / {result['test']:,}{outside}",
        *(_cell(result, name) for name in ("accuracy", "slot_f1", "frame", "joint_goal")),
        row.published or "–",
    )


def trade(results: dict[str, Result]) -> str:
    """What is in scope and told rightly, and what is out of scope and refused, at several thresholds."""
    head = (
        "understander",
        "examples",
        "without threshold",
        "own threshold",
        *(f"refusing {n} % of val" for n in (80, 85, 90, 95)),
    )
    lines = []
    for row in _done(results, ("outside",)):
        found = results[row.name]["trade"]
        cells = (
            f"{percent(found[name]['accuracy'])} · {percent(found[name]['refused'])}" if name in found else "–"
            for name in ("own", "0.8", "0.85", "0.9", "0.95")
        )
        lines.append((_who(row), str(row.each or "all"), percent(results[row.name]["measures"]["accuracy"]), *cells))
    return markdown(head, lines)


def noise(results: dict[str, Result]) -> str:
    """A number for each kind of noise, and how much less it is than without."""
    head, lines = ["noise"], dict[str, list[str]]()
    names = {"accuracy": "intent", "slot_f1": "slot F1", "frame": "frame"}
    columns = [(row, name) for row in _done(results, ("noise",)) for name in results[row.name]["measures"]]
    kinds = dict.fromkeys(kind for row, _ in columns for kind in results[row.name]["noise"])
    for row, name in columns:
        head.append(f"{row.data} {_who(row)} {row.each or 'all'} {names[name]}")
    for kind in kinds:
        lines[kind] = [kind]
        for row, name in columns:
            found = results[row.name]["noise"].get(kind)
            lines[kind].append("–" if found is None else _dropped(found[name], results[row.name]["measures"][name]))
    return markdown(head, lines.values())


def _dropped(value: float, clean: float) -> str:
    return percent(value) if value == clean else f"{percent(value)} ({100 * (value - clean):+.1f})"


def setups(results: dict[str, Result]) -> str:
    """Several labels a message, and slots that were asked for, in the set-ups that the data sets were published in."""
    head = ("data", "learned from / asked", "intents F1", "slots F1", "published")
    lines = [
        (
            row.name,
            f"{results[row.name]['train']:,} / {results[row.name]['test']:,}",
            _cell(results[row.name], "intent_f1"),
            _cell(results[row.name], "slot_f1"),
            row.published or "–",
        )
        for row in _done(results, ("labels", "asked"))
    ]
    return markdown(head, lines)


def speed(results: dict[str, Result]) -> str:
    """Milliseconds of one message, and seconds of learning."""
    lines = [
        (what, *(str(found[name]) for name in ("wall p50", "wall p95", "processor p50", "target")))
        for row in _done(results, ("speed",))
        for what, found in results[row.name]["speed"].items()
    ]
    return markdown(("what", "wall p50", "wall p95", "processor p50", "to be reached"), lines)


def _done(results: dict[str, Result], kinds: Sequence[str]) -> list[Row]:
    return [row for row in ROWS if row.kind in kinds and row.name in results]


def _who(row: Row) -> str:
    return f"{row.understander} ({row.settings['model']})" if "model" in row.settings else row.understander


def _cell(result: Result, name: str) -> str:
    """With the interval of messages, or how far seeds are apart."""
    if name not in result["measures"]:
        return "–"
    value = percent(result["measures"][name])
    if low_high := result.get("intervals", {}).get(name):
        return f"{value} ({percent(low_high[0])} to {percent(low_high[1])})"
    if apart := result.get("deviation", {}).get(name):
        return f"{value} ± {percent(apart)}"
    return value


def percent(share: float) -> str:
    return f"{100 * share:.1f}"
