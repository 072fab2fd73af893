"""Print the rooms of zhuli and the arrows between them, as the imports have them: `make house`, or `python -m tools.house`.

Only reads: grimp builds the graph from the source, nothing of zhuli is run. What must hold is import-linter's part (`make lint`).
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

import grimp

Arrows = Counter[tuple[str, str]]
"""How many imports lead from a room to another."""


def main() -> None:
    """The command line."""
    options = _options()
    sys.path.insert(0, str(options.source))
    graph = grimp.build_graph("zhuli", cache_dir=None)
    package = f"zhuli.{options.inside.replace('/', '.')}" if options.inside else "zhuli"
    if package not in graph.modules:
        sys.exit(f"There is no room {options.inside}. Rooms: {', '.join(rooms(graph, 'zhuli'))}.")
    print(mermaid(graph, package) if options.mermaid else picture(graph, package))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.house", description="Rooms, and arrows between them.")
    parser.add_argument("--inside", metavar="WING", help="the rooms of a wing, like learning or learning/training")
    parser.add_argument("--mermaid", action="store_true", help="a picture for Markdown pages")
    parser.add_argument("--source", type=Path, default=Path("src"), help="the folder that zhuli is in")
    return parser.parse_args()


def rooms(graph: grimp.ImportGraph, package: str) -> list[str]:
    """Packages and modules right below `package`, by their last name."""
    return sorted(child.rpartition(".")[2] for child in graph.find_children(package))


def files(graph: grimp.ImportGraph, package: str) -> int:
    """Modules in `package` at any depth, itself among them if it is one; packages' own files are empty and don't count."""
    inside = [package, *graph.find_descendants(package)]
    return sum(not graph.find_children(module) for module in inside)


def arrows(graph: grimp.ImportGraph, package: str) -> Arrows:
    """Imports of modules between the rooms of `package`."""
    found: Arrows = Counter()
    depth = package.count(".") + 1
    for module in graph.find_descendants(package):
        for other in graph.find_modules_directly_imported_by(module):
            if other.startswith(f"{package}."):
                here, there = module.split(".")[depth], other.split(".")[depth]
                found[here, there] += here != there
    return +found


def circles(found: Arrows) -> list[set[str]]:
    """Rooms that reach each other, each group once."""
    reached = {room: _reached(room, found) for room, _ in found}
    groups: list[set[str]] = []
    for room, others in reached.items():
        group = {other for other in others if room in reached.get(other, ())}
        if len(group) > 1 and group not in groups:
            groups.append(group)
    return groups


def _reached(room: str, found: Arrows) -> set[str]:
    reached: set[str] = set()
    waiting = [room]
    while waiting:
        here = waiting.pop()
        new = {there for start, there in found if start == here} - reached
        reached |= new
        waiting += new
    return reached


def picture(graph: grimp.ImportGraph, package: str) -> str:
    """A line a room: how many modules it has, and where its imports lead; then the sums, and circles at any depth."""
    found = arrows(graph, package)
    names = rooms(graph, package)
    width = max(map(len, names))
    lines = []
    for name in names:
        leads = ", ".join(f"{there} {count}" for (here, there), count in sorted(found.items()) if here == name)
        lines.append(f"{name:{width}} {files(graph, f'{package}.{name}'):4}  {'→ ' + leads if leads else ''}".rstrip())
    packages = sum(bool(graph.find_children(f"{package}.{name}")) for name in names)
    sums = f"{files(graph, package)} modules in {len(names)} rooms, {packages} of them packages; {len(found)} arrows"
    lines += ["", sums]
    inside = [below for below in [package, *sorted(graph.find_descendants(package))] if graph.find_children(below)]
    turning = [(below, group) for below in inside for group in circles(arrows(graph, below))]
    lines += [f"a circle in {below}: {', '.join(sorted(group))}" for below, group in turning]
    if not turning:
        lines.append("no circles, at any depth")
    return "\n".join(lines)


def mermaid(graph: grimp.ImportGraph, package: str) -> str:
    """A flowchart without the arrows that a longer way implies, so that it can be read."""
    found = arrows(graph, package)
    lines = ["flowchart TD"]
    for here, there in sorted(found):
        between = {other for start, other in found if start == here and other != there}
        if not any(there in _reached(other, found) for other in between):
            lines.append(f"  {here} --> {there}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
