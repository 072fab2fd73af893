"""Conversations written from outside: `python -m benchmarks.understanding.outside`, and with --held those that are held back.

Who mends looks at the development part only; the held one is counted at the end of a piece of work. With `--model smollm2` the
understander `llm` asks the packaged chat model, with `--models FILE` another one.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from tests.stories.conversation import FOLDER, PARTS, Conversation, Difference, conversations
from tests.stories.walk import walk_all

console = Console(highlight=False, width=160)

PACKAGED = '[models.smollm2]\nbackend = "embedded"\nslots = 1\n\n[embedders.hashed]\nplugin = "hashed"\n'


def main(
    held: Annotated[bool, typer.Option("--held", help="Those held back, as counts only.")] = False,
    known: Annotated[bool, typer.Option("--known", help="Write known.txt anew, from all parts.")] = False,
    only: Annotated[str, typer.Option(help="Conversations whose id has this in it.")] = "",
    model: Annotated[str, typer.Option(help="A chat model, which the understander 'llm' then asks.")] = "",
    models: Annotated[Path | None, typer.Option(help="The models file; without one the packaged model.")] = None,
    seconds: Annotated[float, typer.Option(help="What the model has for an answer.")] = 60.0,
) -> None:
    """Walk them, and print the share that went right by language and domain, and where the others went wrong."""
    parts = PARTS if known else ("held", "last") if held else ("dev", "fresh")
    told = [one for one in conversations(*parts) if only in one.id]
    understander = {"type": "llm", "model": model, "seconds": seconds} if model else None
    with TemporaryDirectory() as folder:
        packaged = Path(folder, "models.toml")
        packaged.write_text(PACKAGED)
        walked = walk_all(told, understander=understander, models=(models or packaged) if model else None)
    console.print(_shares(told, walked))
    if not held and not known:
        _tell(told, walked)
    if known:
        lines = sorted(name for name, difference in walked.items() if difference)
        (FOLDER / "known.txt").write_text("".join(f"{line}\n" for line in lines))


def _shares(told: Sequence[Conversation], walked: Mapping[str, Difference | None]) -> Table:
    table = Table("", "right", "of", "%")
    _add(table, told, walked, lambda one: "all")
    _add(table, told, walked, lambda one: one.part)
    _add(table, told, walked, lambda one: one.language)
    _add(table, told, walked, lambda one: one.domain)
    return table


def _add(
    table: Table,
    told: Sequence[Conversation],
    walked: Mapping[str, Difference | None],
    group: Callable[[Conversation], str],
) -> None:
    for name in dict.fromkeys(map(group, told)):
        mine = [one for one in told if group(one) == name]
        right = sum(walked[one.id] is None for one in mine)
        table.add_row(name, str(right), str(len(mine)), f"{100 * right / len(mine):.0f}")


def _tell(told: Sequence[Conversation], walked: Mapping[str, Difference | None]) -> None:
    for one in told:
        if difference := walked[one.id]:
            console.print(f"\n{one.id}, turn {difference.turn} of {len(one.turns)}: {difference.user}", markup=False)
            for line in difference.why:
                console.print(f"    {line}", markup=False)


if __name__ == "__main__":
    typer.run(main)
