"""A plugin for pytest that says what each test cost in processor time, and whose time it was.

    python -m pytest -p tools.costs --costs build/costs.tsv [--one-of 10] tests/api

Every line of the file is a test: seconds of processor time of the test process itself, of servers and commands that are forks
of the warm process, of PostgreSQL, and of all other processes that the test process has started; then the test's name. At the
end stands the sum by file, dearest first. A module's first test has the costs of its fixtures. `--one-of N` runs every N-th
test only, which is enough to see where the time goes. Waiting costs nothing here: where all cores are busy, as in a complete
run, that takes the sum over their number.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path

import pytest

WHOSE = ("tests", "servers", "postgres", "others")
TICK = os.sysconf("SC_CLK_TCK")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--costs", type=Path, help="file for the processor time of each test")
    parser.addoption("--one-of", type=int, default=1, help="run every N-th test only")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.costs is not None and not config.pluginmanager.hasplugin("dsession"):
        config.pluginmanager.register(Costs(config.option.costs))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items[:] = items[config.option.one_of // 2 :: config.option.one_of]


class Costs:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[int, str] = {}
        self._last: dict[int, float] = {}
        self._ended: dict[str, float] = defaultdict(float)
        self._spent = self._now()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        result = yield
        self._write(item.nodeid)
        return result

    def pytest_sessionfinish(self) -> None:
        self._write("everything's end")

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.write_line(table(self._file))

    def _write(self, name: str) -> None:
        now = self._now()
        spent = [max(0.0, now[whose] - self._spent[whose]) for whose in WHOSE]
        self._spent = now
        with self._file.open("a") as file:
            file.write("\t".join([*(f"{seconds:.2f}" for seconds in spent), name]) + "\n")

    def _now(self) -> dict[str, float]:
        """Seconds until now of all processes that there are or were, by whose they are."""
        spent: dict[str, float] = defaultdict(float)
        children: dict[int, list[int]] = defaultdict(list)
        times: dict[int, tuple[float, float]] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            pid = int(folder.name)
            children[int(fields[1])].append(pid)
            own, of_ended = sum(map(int, fields[11:13])) / TICK, sum(map(int, fields[13:15])) / TICK
            times[pid] = (own, of_ended)
        totals: dict[int, float] = defaultdict(float)
        for child in children[os.getpid()]:
            pending = [child]
            while pending:
                pid = pending.pop()
                totals[child] += sum(times[pid])
                pending += children[pid]
        for gone in self._last.keys() - totals.keys():  # now among what this process has waited for
            self._ended[self._whose(gone)] += self._last[gone]
        self._last = dict(totals)
        spent["tests"], spent["others"] = times[os.getpid()]
        spent["others"] -= sum(self._ended.values())
        for whose, seconds in (*((self._whose(child), total) for child, total in totals.items()), *self._ended.items()):
            spent[whose] += seconds
        return spent

    def _whose(self, pid: int) -> str:
        if pid not in self._known:
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                command = b""
            known = {b"warm_program": "servers", b"postgres": "postgres"}
            self._known[pid] = next((whose for part, whose in known.items() if part in command), "others")
        return self._known[pid]


def table(file: Path) -> str:
    """The sums by file of tests, dearest first."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(WHOSE))
    for line in file.read_text().splitlines():
        *seconds, name = line.split("\t")
        for where in (name.partition("::")[0], "all"):
            sums[where] = [a + float(b) for a, b in zip(sums[where], seconds, strict=True)]
    rows = sorted(sums.items(), key=lambda row: -sum(row[1]))
    head = "".join(f"{name:>10}" for name in ("all", *WHOSE))
    return "\n".join(
        [head, *("".join(f"{s:10.1f}" for s in (sum(spent), *spent)) + f"  {where}" for where, spent in rows)]
    )
