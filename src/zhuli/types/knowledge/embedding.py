"""Embeddings on the wire: the request and the list of vectors, as numbers or as base64 of little-endian float32."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from zhuli.types.wire import WHOLE_EACH, Integer, Request, TokenNumber, Wire, most

MOST_INPUTS = 2048
"""Entries of `input`, be they texts or the tokens of one text."""

MOST_DIMENSIONS = 4096
"""Numbers in a vector that may be asked for: no usual column or model has more, and each costs memory a text."""

_Text = Annotated[str, Field(min_length=1)]
_Texts = Annotated[list[_Text], most(MOST_INPUTS, least=1)]
_Tokens = Annotated[list[TokenNumber], most(MOST_INPUTS, least=1), WHOLE_EACH]
_TokenList = Annotated[list[TokenNumber], Field(min_length=1, fail_fast=True), WHOLE_EACH]
_TokenLists = Annotated[list[_TokenList], most(MOST_INPUTS, least=1)]


def _shape(value: Any) -> str:
    """A list is of what its first element is."""
    if not isinstance(value, list):
        return "~string"
    first = value[0] if value else ""
    if isinstance(first, list):
        return "~lists"
    return "~tokens" if isinstance(first, int | float) and not isinstance(first, bool) else "~strings"


EmbeddingInput = Annotated[
    Annotated[_Text, Tag("~string")]
    | Annotated[_Texts, Tag("~strings")]
    | Annotated[_Tokens, Tag("~tokens")]
    | Annotated[_TokenLists, Tag("~lists")],
    Discriminator(_shape),
]


class EmbeddingRequest(Request):
    """Texts or tokens to embed, one or several. dimensions: fewer than the model's, where it can be cut."""

    input: EmbeddingInput
    model: str
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[Integer, Field(ge=1, le=MOST_DIMENSIONS)] | None = None
    user: str | None = None


class Embedding(Wire):
    """A vector: numbers, or base64 of little-endian float32. index: of its input."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingUsage(Wire):
    """Tokens of all inputs."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingList(Wire):
    """The vectors in the order of the inputs."""

    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage
