"""What the rows came to, in a JSON file that grows row by row, and the table in the documentation made of it."""

import json
from pathlib import Path
from typing import Any

from benchmarks.tuning.rows import ROWS

KEPT = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[2] / "docs" / "fine-tuning-results.md"
BEGIN, END = "<!-- table: begin (make bench-tuning writes this) -->", "<!-- table: end -->"

Result = dict[str, Any]


def read(path: Path = KEPT) -> dict[str, Result]:
    """By the row's name."""
    found: dict[str, Result] = json.loads(path.read_text()) if path.exists() else {}
    return found


def keep(name: str, result: Result, path: Path = KEPT) -> None:
    """Add or replace one row."""
    results = read(path) | {name: result}
    ordered = {row.name: results[row.name] for row in ROWS if row.name in results}
    scratch = path.with_suffix(".new")
    scratch.write_text(json.dumps({**results, **ordered}, indent=1, ensure_ascii=False) + "\n")
    scratch.replace(path)


def write_table(results: dict[str, Result], page: Path = PAGE) -> None:
    """Put the table between its marks; everything else on the page stays."""
    text = page.read_text()
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n\n{table(results)}\n\n{END}{after}")


def table(results: dict[str, Result]) -> str:
    """Markdown, in the order of the rows."""
    head = ("data", "base", "method", "training / test", "minutes", "measure", "before", "after (95 %)", "published")
    lines = [head, tuple("---" for _ in head)]
    for row in ROWS:
        if row.name in results:
            lines.append(_line(row.name, results[row.name]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


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
