"""Texts that a client sends as tokens: those of cl100k_base, the tokenizer of the original's embedding models."""

from collections.abc import Sequence
from contextlib import suppress

from zhuli.core.errors import InvalidRequest
from zhuli.knowledge.retrieval.chunking.tokenizer import encoding

ENCODING = "cl100k_base"
TOKENS = 100_256
"""Tokens that stand for text; special ones, which come behind them, stand for none."""


def text_of(tokens: Sequence[int], *, param: str = "input") -> str:
    """The text that the tokens spell; InvalidRequest names what is no token. param: of the request that has them."""
    if unknown := [token for token in tokens if not 0 <= token < TOKENS]:
        raise InvalidRequest(
            f"Invalid '{param}': {unknown[0]} is not a token of {ENCODING}, whose tokens for text are 0 to {TOKENS - 1}.",
            param=param,
            code="invalid_value",
        )
    # Who cuts a long text into lists of tokens may cut a character, which is four bytes at most; what is left of it goes.
    for start, end in ((start, end) for cut in range(7) for start in range(4) if 0 <= (end := cut - start) < 4):
        with suppress(ValueError):
            decoded: str = encoding(ENCODING).decode(list(tokens[start : len(tokens) - end]))
            return decoded
    raise InvalidRequest(
        f"Invalid '{param}': these tokens of {ENCODING} spell no text.", param=param, code="invalid_value"
    )
