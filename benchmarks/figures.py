"""What each figure means, its unit and how far it must reach; medians over rounds as a table and as JSON."""

from dataclasses import dataclass
from statistics import median

from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One measured quantity. Without `at_most` and `at_least` it is there to explain the others."""

    name: str
    title: str
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    def reached(self, value: float) -> bool | None:
        """None when nothing has to be reached."""
        if self.at_most is not None:
            return value <= self.at_most
        return None if self.at_least is None else value >= self.at_least

    @property
    def reach(self) -> str:
        if self.at_most is not None:
            return f"≤ {self.at_most:g}"
        return "" if self.at_least is None else f"≥ {self.at_least:g}"


FIGURES = [
    Figure("yardstick_ms", "a fixed loop (speed of the machine)", "ms"),
    Figure("start_seconds", "process start to ready", "s", at_most=2),
    Figure("start_cpu_seconds", "CPU until ready", "s"),
    Figure("idle_megabytes", "resident after the start", "MB", at_most=150),
    Figure("megabytes_after_load", "resident after all loads", "MB", at_most=150),
    Figure("run_cpu_ms", "CPU a run, one client", "ms", at_most=8),
    Figure("run_ms", "a run, one client", "ms"),
    Figure("run_p95_ms", "a run, one client, p95", "ms"),
    Figure("runs_per_second", "runs, 16 clients", "1/s", at_least=100),
    Figure("run_cpu_ms_at_16", "CPU a run, 16 clients", "ms", at_most=8),
    Figure("run_ms_at_16", "a run, 16 clients", "ms"),
    Figure("run_p95_ms_at_16", "a run, 16 clients, p95", "ms"),
    Figure("first_token_added_ms", "first token added, one client", "ms", at_most=5),
    Figure("first_token_direct_ms", "first token of the mock, one client", "ms"),
    Figure("first_token_added_ms_at_16", "first token added, 16 clients", "ms", at_most=50),
    Figure("first_token_direct_ms_at_16", "first token of the mock, 16 clients", "ms"),
    Figure("messages_per_second", "messages created, 16 clients", "1/s", at_least=600),
    Figure("message_cpu_ms", "CPU a message", "ms"),
    Figure("turn_cpu_ratio", "100th turn / 10th turn, CPU", "×", at_most=1.1),
    Figure("turn_time_ratio", "100th turn / 10th turn, time", "×", at_most=1.1),
    Figure("turn_10_cpu_ms", "CPU of the 10th turn", "ms"),
    Figure("turn_100_cpu_ms", "CPU of the 100th turn", "ms"),
    Figure("turn_10_ms", "10th turn", "ms"),
    Figure("turn_100_ms", "100th turn", "ms"),
]

Rounds = list[dict[str, float]]


def medians(rounds: Rounds) -> dict[str, float]:
    """Of each figure that was measured."""
    return {
        figure.name: median(figures[figure.name] for figures in rounds)
        for figure in FIGURES
        if figure.name in rounds[0]
    }


def table(databases: dict[str, Rounds]) -> Table:
    """One row a figure, one column a database: median (lowest to highest round)."""
    result = Table("figure", "unit", "reach")
    for database in databases:
        result.add_column(database, justify="right")
    for figure in FIGURES:
        cells = [_cell(figure, rounds) for rounds in databases.values()]
        if any(cells):
            result.add_row(figure.title, figure.unit, figure.reach, *cells)
    return result


def _cell(figure: Figure, rounds: Rounds) -> str:
    values = [figures[figure.name] for figures in rounds if figure.name in figures]
    if not values:
        return ""
    colour = {True: "green", False: "red", None: "default"}[figure.reached(median(values))]
    return f"[{colour}]{_short(median(values))}[/] ({_short(min(values))} to {_short(max(values))})"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
