"""What the rows came to, in a JSON file that grows row by row, and the table in the documentation made of it."""

from pathlib import Path

from benchmarks import kept_results
from benchmarks.kept_results import Result, markdown
from benchmarks.learning.tuning.rows import ROWS

KEPT = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[3] / "docs" / "fine-tuning-results.md"
NO_SHARES = ("bleu", "chrf", "perplexity", "loss")
"""Measures that are no shares of one."""

BEGIN, END = "<!-- table: begin (make bench-tuning writes this) -->", "<!-- table: end -->"


def read() -> dict[str, Result]:
    """By the row's name."""
    return kept_results.read(KEPT)


def keep(name: str, result: Result) -> None:
    """Add or replace one row, also in the page's table."""
    kept_results.keep(KEPT, name, result, order=(row.name for row in ROWS), show=_write_table)


def _write_table(results: dict[str, Result]) -> None:
    kept_results.put(PAGE, table(results), begin=BEGIN, end=END)


def table(results: dict[str, Result]) -> str:
    """Markdown, in the order of the rows."""
    head = ("task", "data", "base", "method", "training / test", "minutes", "measure", "before", "after (95 %)")
    head += ("difference (95 %)", "perplexity", "published")
    return markdown(head, (_line(row.name, results[row.name]) for row in ROWS if row.name in results))


def _line(name: str, result: Result) -> tuple[str, ...]:
    row = next(row for row in ROWS if row.name == name)

    def said(value: float) -> str:
        """Shares as percent; BLEU and chrF are 0 to 100 already."""
        return f"{value if result['metric'] in NO_SHARES else 100 * value:.1f}"

    def between(ends: list[float] | None) -> str:
        return "–" if ends is None else f"{said(ends[0])} to {said(ends[1])}"

    return (
        row.task.replace("_", " "),
        f"{row.data}: {row.note}" if row.note else row.data,
        row.base,
        row.method,
        f"{result['train']:,} / {result['test']:,}",
        f"{result['seconds'] / 60:.1f}",
        result["metric"],
        "–" if result["before"] is None else said(result["before"]),
        f"{said(result['after'])} ({between(result['interval'])})" if result["interval"] else said(result["after"]),
        between(result["difference"]),
        " → ".join(f"{number:.1f}" for number in result["perplexity"] or ()) or "–",
        f"{row.published} [{row.source}]" if row.published else "–",
    )
