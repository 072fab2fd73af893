"""Testing criteria of an evaluation: how the answer to an item is graded, and what passes."""

from typing import Annotated, Any, Literal

from pydantic import Field, Tag

from zhuli.types.assistants.assistant import TopP
from zhuli.types.assistants.tools import ReasoningEffort
from zhuli.types.learning.eval_messages import EvalMessages
from zhuli.types.wire import Integer, Request, by_type, optional

GraderName = Annotated[str, Field(min_length=1, max_length=256)]
Template = Annotated[str, Field(max_length=100_000)]
Label = Annotated[str, Field(min_length=1, max_length=256)]


class StringCheck(Request):
    """Compares two texts: equal, not equal, input contains reference, the same in any case of letters."""

    type: Literal["string_check"]
    name: GraderName
    input: Template
    reference: Template
    operation: Literal["eq", "ne", "like", "ilike"]


Similarity = Literal[
    "cosine", "fuzzy_match", "bleu", "gleu", "meteor", "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l"
]


class TextSimilarity(Request):
    """How near a text comes to a reference, 0 to 1; passes from pass_threshold on."""

    type: Literal["text_similarity"]
    name: GraderName
    input: Template
    reference: Template
    evaluation_metric: Similarity
    pass_threshold: float


class LabelModel(Request):
    """A chat model as judge chooses a label; those of passing_labels pass."""

    type: Literal["label_model"]
    name: GraderName
    model: str
    input: EvalMessages
    labels: Annotated[list[Label], Field(min_length=1, max_length=100)]
    passing_labels: Annotated[list[Label], Field(max_length=100)]


class JudgeSampling(Request):
    """How a judge is asked."""

    seed: Integer | None = optional()
    top_p: TopP | None = optional()
    temperature: Annotated[float, Field(ge=0, le=2)] | None = optional()
    max_completions_tokens: Annotated[Integer, Field(ge=1)] | None = optional()
    reasoning_effort: ReasoningEffort | None = optional()


class ScoreModel(Request):
    """A chat model as judge gives a number within range, [0, 1] unless given; passes from pass_threshold on.

    Without pass_threshold it passes from the middle of the range on.
    """

    type: Literal["score_model"]
    name: GraderName
    model: str
    input: EvalMessages
    sampling_params: JudgeSampling | None = optional()
    range: Annotated[list[float], Field(min_length=2, max_length=2)] | None = optional()
    pass_threshold: float | None = optional()

    def bounds(self) -> tuple[float, float]:
        """(lowest, highest) score."""
        return (self.range[0], self.range[1]) if self.range else (0.0, 1.0)


class PythonGrader(Request):
    """A program as grader, which this server does not run: there is no sandbox for it."""

    type: Literal["python"]
    name: GraderName
    source: str
    image_tag: str | None = optional()
    pass_threshold: float | None = optional()


Grader = Annotated[
    Annotated[StringCheck, Tag("~string_check")]
    | Annotated[TextSimilarity, Tag("~text_similarity")]
    | Annotated[LabelModel, Tag("~label_model")]
    | Annotated[ScoreModel, Tag("~score_model")]
    | Annotated[PythonGrader, Tag("~python")],
    by_type(),
]

Judge = LabelModel | ScoreModel


class GraderResult(Request):
    """What a criterion says of an item. label: the judge's, our addition. sample: what a judge was asked and said."""

    name: str
    type: str
    score: float
    passed: bool
    label: str | None = optional()
    sample: dict[str, Any] | None = None
