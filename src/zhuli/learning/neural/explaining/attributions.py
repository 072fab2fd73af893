"""Which words an answer comes from: layer integrated gradients on the embeddings, through captum.

    score of a token = sum over the embedding of (x - x') * mean over the path from x' to x of dF / dx

F is the log odds of the answer, x' the same input with every word replaced by the padding token (Sundararajan et al. 2017,
Axiomatic Attribution for Deep Networks). Scores then sum to F(x) - F(x'), but for the error of integrating in steps, which is
measured; steps are doubled until it is small. What F is for a task, training.explaining says.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from zhuli.learning.metrics.chinese import has_chinese

Forward = Callable[[dict[str, Any]], Tensor]
"""From a batch to a number a row."""

COMPLETE = 0.05
"""The largest error, as a share of what is to be explained, that asks for no more steps."""

SMALLEST = 0.1
"""Log odds: a smaller difference is as good as none, and errors are not measured against it."""

MOST_STEPS = 512
AT_ONCE = 32
"""Points of the path in a batch."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """scores: one a token. difference: F(x) - F(x'). error: |sum of scores - difference|, as a share of |difference|."""

    scores: list[float]
    difference: float
    error: float
    steps: int


def integrated_gradients(
    embeddings: nn.Module, forward: Forward, batch: Mapping[str, Any], baseline: Tensor, *, steps: int
) -> Attribution:
    """Of a batch with one row. baseline: its input_ids with what is to be explained taken out; steps: to begin with."""
    while True:
        found = _integrated(embeddings, forward, batch, baseline, steps=steps)
        if found.error < COMPLETE or steps >= MOST_STEPS:
            return found
        steps *= 2


def log_odds(logits: Tensor, place: int, *, independent: bool) -> Tensor:
    """ln(p / (1 - p)) of the class at `place`: logits … × classes to …; independent: a sigmoid each, otherwise softmax."""
    if independent or logits.shape[-1] == 1:
        return logits[..., place]
    others = torch.cat([logits[..., :place], logits[..., place + 1 :]], dim=-1)
    return logits[..., place] - others.logsumexp(dim=-1)


def words(text: str, spans: Sequence[tuple[int, int]], scores: Sequence[float]) -> list[dict[str, Any]]:
    """[{"text", "start", "end", "score"}]: tokens put together to words, their scores summed; characters for Chinese.

    spans: where each token stands in the text, start = end for those that stand nowhere.
    """
    found: list[dict[str, Any]] = []
    for (start, end), score in zip(spans, scores, strict=True):
        start += len(text[start:end]) - len(text[start:end].lstrip())
        if start >= end:
            continue
        if found and _one_word(text, found[-1]["end"], start):
            found[-1]["end"] = max(end, found[-1]["end"])
            found[-1]["score"] += score
        else:
            found.append({"text": "", "start": start, "end": end, "score": score})
    return [{**word, "text": text[word["start"] : word["end"]]} for word in found]


def _integrated(
    embeddings: nn.Module, forward: Forward, batch: Mapping[str, Any], baseline: Tensor, *, steps: int
) -> Attribution:
    from captum.attr import LayerIntegratedGradients  # takes seconds, and only explanations need it

    names = [name for name, value in batch.items() if isinstance(value, Tensor) and name != "input_ids"]
    rest = {name: value for name, value in batch.items() if not isinstance(value, Tensor)}

    def scored(ids: Tensor, *others: Tensor) -> Tensor:
        return forward({**rest, "input_ids": ids, **dict(zip(names, others, strict=True))})

    others = tuple(batch[name] for name in names)
    scores = LayerIntegratedGradients(scored, embeddings).attribute(
        batch["input_ids"],
        baselines=baseline,
        additional_forward_args=others,
        n_steps=steps,
        internal_batch_size=AT_ONCE,
    )
    with torch.no_grad():
        difference = float(scored(batch["input_ids"], *others)[0] - scored(baseline, *others)[0])
    tokens = scores.sum(dim=-1)[0]
    error = abs(float(tokens.sum()) - difference) / max(abs(difference), SMALLEST)
    return Attribution(tokens.tolist(), difference, error, steps)


def _one_word(text: str, end: int, start: int) -> bool:
    """Whether a token that begins at `start` goes on with the word that ended at `end`."""
    if start < end:
        return True
    around = text[start - 1 : start + 1]
    return start == end and around.isalnum() and not has_chinese(around)
