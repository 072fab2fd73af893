"""Probabilities of tokens, in the two forms that the API has for them: of chats, and of texts that are gone on with. Pure."""

from collections.abc import Sequence
from typing import Any

Logprob = dict[str, Any]
"""{"token", "logprob", "bytes", "top_logprobs": [{"token", "logprob", "bytes"}, …]}, as chats have them."""


def token_logprobs(given: dict[str, Any] | None) -> tuple[Logprob, ...]:
    """The tokens of a chunk's choice in the form of chats, whichever form it has."""
    if not given:
        return ()
    if "tokens" not in given:
        return tuple(_filled(entry) for entry in given.get("content") or ())
    tokens, logprobs = given["tokens"] or (), given.get("token_logprobs") or ()
    tops = given.get("top_logprobs") or [None] * len(tokens)
    return tuple(
        {"token": token, "logprob": logprob or 0.0, "bytes": list(token.encode()), "top_logprobs": _listed(top or {})}
        for token, logprob, top in zip(tokens, logprobs, tops, strict=False)
    )


def raw_logprobs(body: dict[str, Any]) -> dict[str, Any]:
    """The request for them in the form of texts, from one in the form of chats."""
    wanted = (body.get("top_logprobs") or 0) if body.get("logprobs") else None
    return {"logprobs": wanted, "top_logprobs": None}


def of_text(entries: Sequence[Logprob], *, start: int) -> dict[str, Any]:
    """Tokens in the form of texts. start: characters of the answer before the first of them."""
    offsets = []
    for entry in entries:
        offsets.append(start)
        start += len(entry["token"])
    return {
        "tokens": [entry["token"] for entry in entries],
        "token_logprobs": [entry["logprob"] for entry in entries],
        "top_logprobs": [{top["token"]: top["logprob"] for top in entry["top_logprobs"]} for entry in entries],
        "text_offset": offsets,
    }


def _filled(entry: Logprob) -> Logprob:
    """As the API has it: some servers leave out what is empty, others add numbers of their own."""
    return {**_token(entry), "top_logprobs": [_token(top) for top in entry.get("top_logprobs") or ()]}


def _token(entry: dict[str, Any]) -> dict[str, Any]:
    return {"token": entry["token"], "logprob": entry["logprob"], "bytes": entry.get("bytes")}


def _listed(top: dict[str, float]) -> list[dict[str, Any]]:
    return [{"token": token, "logprob": logprob, "bytes": list(token.encode())} for token, logprob in top.items()]
