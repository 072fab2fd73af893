"""What a language model writes: the likeliest token each time, in batches, until it stops or has said enough."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig


def greedy(
    backbone: Any, input_ids: Tensor, attention_mask: Tensor, *, stops: Sequence[int], pad: int, most: int
) -> list[list[int]]:
    """New tokens of each row, at most `most`, without the one that ended them.

    input_ids: rows × tokens, padded on the left for a causal model. What else the model's own settings would do to its
    choice, such as a penalty for repetition, is off: the answer is the same wherever the model is served greedily.
    """
    settings = GenerationConfig(
        do_sample=False,
        num_beams=1,
        temperature=1.0,
        top_k=50,
        top_p=1.0,
        repetition_penalty=1.0,
        no_repeat_ngram_size=0,
        max_new_tokens=most,
        eos_token_id=list(stops),
        pad_token_id=pad,
    )
    with torch.no_grad():
        written = backbone.generate(input_ids=input_ids, attention_mask=attention_mask, generation_config=settings)
    given = 1 if backbone.config.is_encoder_decoder else input_ids.shape[1]
    return [_until(row[given:].tolist(), frozenset([*stops])) for row in written]


def _until(tokens: list[int], stops: frozenset[int]) -> list[int]:
    end = next((at for at, token in enumerate(tokens) if token in stops), len(tokens))
    return tokens[:end]
