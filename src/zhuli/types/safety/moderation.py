"""POST /v1/moderations, as published, and what is ours beside it: thresholds of a project."""

from typing import Annotated, Final, Literal

from pydantic import Field

from zhuli.types.wire import Request, Wire, most, optional

CATEGORIES: Final = (
    "hate", "hate/threatening", "harassment", "harassment/threatening", "illicit", "illicit/violent", "self-harm",
    "self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors", "violence", "violence/graphic",
)  # fmt: skip

Category = Literal[
    "hate", "hate/threatening", "harassment", "harassment/threatening", "illicit", "illicit/violent", "self-harm",
    "self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors", "violence", "violence/graphic",
]  # fmt: skip

MODEL: Final = "zhuli-moderation-1"
NAMES: Final = frozenset(
    (MODEL, "omni-moderation-latest", "omni-moderation-2024-09-26", "text-moderation-latest", "text-moderation-stable")
)
"""By which the one model may be asked: its own, and those that the published API knows."""

MOST_INPUTS: Final = 256
MOST_CHARACTERS: Final = 256_000
"""In all texts of a request together."""


class ImageUrl(Request):
    """Where an image is, or the image itself as a data URL; nobody looks at it."""

    url: str


class ImageInput(Request):
    """An image, which is taken and not judged."""

    type: Literal["image_url"]
    image_url: ImageUrl


class TextInput(Request):
    """A text among several parts that are judged as one."""

    type: Literal["text"]
    text: str


Part = Annotated[ImageInput | TextInput, Field(discriminator="type")]


class ModerationCreate(Request):
    """input: a text, texts that are judged each by itself, or parts of one input. explain: ours, name the words that count."""

    input: str | Annotated[list[str], most(MOST_INPUTS, least=1)] | Annotated[list[Part], most(MOST_INPUTS, least=1)]
    model: str = "omni-moderation-latest"
    explain: bool = False


class ModerationResult(Wire):
    """Of one input. not_judged is ours: what the scores of 0 do not speak for.

    explanation: words by category, strongest first."""

    flagged: bool
    categories: dict[str, bool]
    category_scores: dict[str, float]
    category_applied_input_types: dict[str, list[Literal["text"]]]
    not_judged: list[str] = []
    explanation: dict[str, list[str]] | None = optional()


class Moderation(Wire):
    """A result for each input, in their order."""

    id: str
    model: str
    results: list[ModerationResult]


Thresholds = dict[Category, Annotated[float, Field(ge=0, le=1)]]


class ThresholdsPut(Request):
    """The project's own thresholds, all of them; categories that are left out have the model's."""

    thresholds: Thresholds


class ModerationThresholds(Wire):
    """From which score on a category is flagged. own: what the project has set; defaults: by category and language."""

    object: Literal["moderation.thresholds"] = "moderation.thresholds"
    own: dict[str, float]
    defaults: dict[str, dict[str, float]]
    not_judged: list[str]
