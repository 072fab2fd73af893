"""Direct preference optimisation (Rafailov et al. 2023): a better and a worse answer, without a model of rewards.

The reward of an answer is beta · (log p(answer) - log p of it by the reference, the model before tuning).
"""

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional


class Preferred(NamedTuple):
    """Of pairs: total of their losses; how many rewards are higher for the better answer; the differences of rewards."""

    total: Tensor
    right: int
    margins: Tensor


def preferred(better: Tensor, worse: Tensor, reference: Tensor, *, beta: float, smoothing: float = 0.0) -> Preferred:
    """-log sigmoid(margin), summed. better, worse: log-likelihoods of whole answers, one of each a pair.

    reference: pairs × 2, the reference's of the better and the worse. smoothing: the share of pairs that may be labelled
    the wrong way round (Mitchell 2023, conservative DPO).
    """
    margins = beta * ((better - reference[:, 0]) - (worse - reference[:, 1]))
    losses = -(1 - smoothing) * functional.logsigmoid(margins) - smoothing * functional.logsigmoid(-margins)
    return Preferred(losses.sum(), int((margins > 0).sum()), margins)
