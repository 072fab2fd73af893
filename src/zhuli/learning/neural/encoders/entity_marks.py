"""Four new tokens that stand around two entities of a text, and their rows in an encoder's table."""

from typing import Any

import torch

MARKS = (("[E1]", "[/E1]"), ("[E2]", "[/E2]"))

_LIKE = (("@", "@"), ("#", "#"))
"""Marks that models know, whose rows the new ones begin with (Zhou and Chen 2022, "entity marker (punct)").

The table is often frozen while a model is tuned, so that they must make sense from the start, and differ.
"""

_DIFFERENCE = 0.1
"""Between an opening and a closing mark, in standard deviations of the table."""


def add_marks(backbone: Any, tokenizer: Any) -> None:
    """Teach both the marks. The table's other rows keep what they are."""
    new = [mark for pair in MARKS for mark in pair]
    like = [tokenizer.convert_tokens_to_ids(mark) for pair in _LIKE for mark in pair]
    tokenizer.add_special_tokens({"additional_special_tokens": new})
    table = backbone.get_input_embeddings()
    largest = max(tokenizer.convert_tokens_to_ids(new))
    if largest >= table.num_embeddings:
        backbone.resize_token_embeddings(largest + 1, mean_resizing=False)
        table = backbone.get_input_embeddings()
    with torch.no_grad():
        deviation = table.weight[: min(like) + 1000].std()
        for row, model in zip(tokenizer.convert_tokens_to_ids(new), like, strict=True):
            noise = torch.randn(table.embedding_dim) * deviation * _DIFFERENCE
            table.weight[row] = table.weight[model] + noise
