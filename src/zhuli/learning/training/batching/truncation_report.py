"""Which examples are longer than what the model reads at once, so that their owner hears of it before the training.

Features say it: a task that has left something out marks them as "cut", and a single row of full length has been cut at its
end. Tasks that read a long text in several rows lose nothing.
"""

from collections.abc import Sequence

from zhuli.types.learning.example import Example, Feature

CUT = "cut"
NAMED = 10
"""Lines that are named."""


def told(examples: Sequence[Example], features: Sequence[Sequence[Feature]], *, length: int) -> str | None:
    """A warning that names the first lines; None where everything fits. length: tokens that are read at once."""
    lines = [example.line for example, rows in zip(examples, features, strict=True) if _is_cut(rows, length)]
    if not lines:
        return None
    named = ", ".join(str(line) for line in lines[:NAMED])
    more = f" and {len(lines) - NAMED} more" if len(lines) > NAMED else ""
    return (
        f"{len(lines)} of {len(examples)} training examples are longer than the {length} tokens that are read at once; what "
        f"does not fit is left out. Lines: {named}{more}. Shorten or divide them, or choose a larger max_length."
    )


def _is_cut(rows: Sequence[Feature], length: int) -> bool:
    return any(CUT in row for row in rows) or (len(rows) == 1 and len(rows[0]["input_ids"]) >= length)
