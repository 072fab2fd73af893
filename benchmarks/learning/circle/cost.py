"""What watching costs beside a prediction: processor time of server and children, by the model's name and by its alias.

By its name a model is not watched; under the alias each answer is noted with its vector, written, and looked at window by window.
The two are asked in turns, a block each, so that a machine that grows busier does not favour one. The alias has a policy.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from rich.progress import track

from benchmarks.learning.circle.house import ALIAS, House
from benchmarks.processes import cpu_seconds

BLOCK = 50


def cost(house: House, model: str, texts: Sequence[str], *, blocks: int) -> None:
    """Print it. Each block asks BLOCK messages, one a request."""
    found: dict[str, list[float]] = {model: [], ALIAS: []}
    for name in found:
        _asked(house, name, texts)  # what is loaded once is no cost of either
    for _ in track(range(blocks), description="asking"):
        for name, costs in found.items():
            costs.append(_asked(house, name, texts))
    alone, watched = (sum(costs) / len(costs) for costs in found.values())
    differences = [after - before for before, after in zip(found[model], found[ALIAS], strict=True)]
    print(
        f"a prediction: {1000 * alone:.2f} ms of processor time by the model's name, {1000 * watched:.2f} ms by the watched alias"
    )
    print(
        f"  watching: {(watched - alone) / alone:+.1%}; the median of {blocks} differences {median(differences) / alone:+.1%}"
    )


def _asked(house: House, name: str, texts: Sequence[str]) -> float:
    """Seconds of processor time a message."""
    before = _processor_seconds(house.pid)
    for text in texts[:BLOCK]:
        house.post("/predictions", {"model": name, "input": text, "top_k": 1, "store": False})
    return (_processor_seconds(house.pid) - before) / BLOCK


def _processor_seconds(pid: int) -> float:
    """Of a process and all below it."""
    return sum(cpu_seconds(each) for each in [pid, *_below(pid)])


def _below(pid: int) -> list[int]:
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdecimal():
            try:
                parents[int(name)] = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    found, level = [], [pid]
    while level:
        level = [child for child, parent in parents.items() if parent in level]
        found += level
    return found
