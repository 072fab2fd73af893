"""What watching a model in service finds: tests of windows of its traffic, and groups of messages that are new."""

from typing import Literal

from pydantic import Field

from zhuli.types.wire import Wire, optional

TestName = Literal["inputs", "inputs_lately", "labels", "confidence", "outside"]


class DriftTest(Wire):
    """p: of the permutation test. level: at or below it the test fires. shift: how large the difference is, in its own unit.

    inputs and inputs_lately: squared maximum mean discrepancy of sentence vectors, of this window and of the last four.
    labels: population stability index. confidence and outside: difference of the means, window less reference.
    """

    name: TestName
    p: float
    level: float
    shift: float
    fired: bool


class WindowCheck(Wire):
    """number: of the window since the reference was full, from 0. fired: whether any test did."""

    number: int
    messages: int
    tests: list[DriftTest]
    fired: bool


class LabelShift(Wire):
    """Shares of predictions, 0 to 1: in the reference, and lately."""

    label: str
    before: float
    lately: float


class NewGroup(Wire):
    """Messages that are new and alike. name: its most telling words. share: of the messages looked at, 0 to 1."""

    name: str
    words: list[str]
    messages: int
    share: float
    examples: list[str]
    ids: list[str]


class Calibration(Wire):
    """Whether a model is right as often as it is sure, where somebody has said what is right.

    shift: mean correctness less mean confidence; z: that, in standard errors if confidence were true.
    """

    number: int
    confidence: float
    correct: float
    shift: float
    z: float
    error: float | None = optional()


class NewMessage(Wire):
    """A message that is new, and what the model took it for. id: of its prediction. text: where texts are kept."""

    id: str | None
    text: str | None
    label: str | None
    confidence: float | None
    at: int


class Drift(Wire):
    """What is known of the traffic of the model behind an alias, since the alias was moved to it.

    alpha: the chance that anything fires over `season` windows of quiet traffic, at most. messages: the newest of kind first.
    calibration: of the predictions that people have spoken of; null where nobody has.
    """

    object: Literal["model_alias.drift"] = "model_alias.drift"
    alias: str
    model: str
    status: Literal["gathering", "quiet", "drifted"]
    alpha: float
    season: int
    windows: list[WindowCheck]
    calibration: Calibration | None = None
    labels: list[LabelShift] = Field(default_factory=list)
    groups: list[NewGroup] = Field(default_factory=list)
    messages: list[NewMessage] = Field(default_factory=list)
