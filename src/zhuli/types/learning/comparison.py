"""Two models or runs beside each other on the same examples, and what a gate makes of it. Our addition to the API."""

from typing import Literal

from zhuli.types.wire import Wire


class Said(Wire):
    """One sentence for a person, in both of the house's languages."""

    en: str
    zh: str


class Comparison(Wire):
    """How much better `after` is than `before`, on the same examples.

    name: "all", or a slice like "language=zh". before, after: means over `number` examples, 0 to 1 where they are shares.
    interval: holds 95 % of paired bootstrap draws of the difference. p: how probable so large a difference is, in either
    direction, if there is none; of right and wrong by the exact test of McNemar, of scores by flipping signs, of what is
    summed before it is divided (F1 of spans) by the paired bootstrap. worse_p: the same of a fall alone. gained, lost:
    examples on which after is better, or worse.
    """

    name: str
    number: int
    before: float
    after: float
    difference: float
    interval: tuple[float, float]
    p: float
    worse_p: float
    test: Literal["mcnemar", "sign_flip", "bootstrap"]
    gained: int
    lost: int
    sentence: Said


class Reason(Wire):
    """One of the questions that a gate asks, and its answer. value is held against limit; None where nothing is measured."""

    passed: bool
    code: Literal["better", "regression", "slice", "audit", "contradiction"]
    name: str
    value: float | None
    limit: float | None
    sentence: Said


class Verdict(Wire):
    """Whether a candidate may go on: it passed everything that was asked, or some reasons say no."""

    passed: bool
    reasons: list[Reason]
    sentence: Said


class AuditGap(Wire):
    """A gap between groups that an audit found, with its interval and the bound that it must keep below."""

    name: str
    gap: float
    interval: tuple[float, float]
    most: float


class Agreement(Wire):
    """How far two who gave labels to the same things agree. kappa: Cohen's, 1 for always, 0 for no more than by chance.

    kappa is None where both always gave one and the same label: then there is nothing to agree about. interval: holds
    95 % of bootstrap draws. matrix[first][second]: how often the one gave this label and the other that.
    """

    object: Literal["agreement"] = "agreement"
    number: int
    observed: float
    expected: float
    kappa: float | None
    interval: tuple[float, float] | None
    labels: list[str]
    matrix: list[list[int]]
    sentence: Said
