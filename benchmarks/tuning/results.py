"""What the rows came to, in a JSON file that grows row by row, and the table in the documentation made of it."""

from pathlib import Path

from benchmarks import kept_results
from benchmarks.kept_results import Result, markdown
from benchmarks.tuning.rows import ROWS

KEPT = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[2] / "docs" / "fine-tuning-results.md"
BEGIN, END = "<!-- table: begin (make bench-tuning writes this) -->", "<!-- table: end -->"


def read() -> dict[str, Result]:
    """By the row's name."""
    return kept_results.read(KEPT)


def keep(name: str, result: Result) -> None:
    """Add or replace one row."""
    kept_results.keep(KEPT, name, result, order=(row.name for row in ROWS))


def write_table(results: dict[str, Result]) -> None:
    """Put the table into its page."""
    kept_results.put(PAGE, table(results), begin=BEGIN, end=END)


def table(results: dict[str, Result]) -> str:
    """Markdown, in the order of the rows."""
    head = ("data", "base", "method", "training / test", "minutes", "measure", "before", "after (95 %)", "published")
    return markdown(head, (_line(row.name, results[row.name]) for row in ROWS if row.name in results))


def _line(name: str, result: Result) -> tuple[str, ...]:
    row = next(row for row in ROWS if row.name == name)
    low, high = result.get("interval") or (None, None)
    interval = f" ({_percent(low)} to {_percent(high)})" if low is not None else ""
    published = f"{row.published} [{row.source}]" if row.published else "–"
    data = f"{row.data}: {row.note}" if row.note else row.data
    return (
        data,
        row.base,
        row.method,
        f"{result['train']:,} / {result['test']:,}",
        f"{result['seconds'] / 60:.1f}",
        result["metric"],
        _percent(result["before"]),
        f"{_percent(result['after'])}{interval}",
        published,
    )


def _percent(value: float | None) -> str:
    """Shares as percent; what is no share (perplexity, BLEU and chrF come as 0 to 100) as it is."""
    if value is None:
        return "–"
    return f"{100 * value:.1f}" if abs(value) <= 1 else f"{value:.1f}"
