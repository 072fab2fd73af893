"""How commands print: tables that fit a terminal, and whole lines where another program reads them."""

import sys

from rich.console import Console
from rich.table import Table

_WIDE = 400


def console() -> Console:
    """Standard output. What is not a terminal gets lines that are not broken."""
    return Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False)


def table(*columns: str) -> Table:
    """An empty table without lines; the last column takes what is left of the width."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in columns[:-1]:
        made.add_column(name, overflow="fold")
    made.add_column(columns[-1], overflow="fold")
    return made
