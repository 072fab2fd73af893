"""How an encoder makes one vector of a text: the mean of its tokens, or what it says at the first one.

A base that was trained on sentences says so in the files of sentence-transformers, and also which words it expects before a
text. Other bases are read at their first token, as BERT is (Devlin et al. 2019).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

Pooling = Literal["mean", "first"]

_POOLING = Path("1_Pooling", "config.json")
_PROMPTS = "config_sentence_transformers.json"


@dataclass(frozen=True, slots=True)
class Habits:
    """prefix: what the model expects before every text."""

    pooling: Pooling
    prefix: str


def habits(folder: Path) -> Habits:
    """What the files of sentence-transformers in a base's folder say."""
    modes = _content(folder / _POOLING)
    prompts = _content(folder / _PROMPTS)
    named = prompts.get("prompts") or {}
    return Habits("mean" if modes.get("pooling_mode_mean_tokens") else "first", named.get(_default(prompts), ""))


def pooled(hidden: Tensor, mask: Tensor, pooling: Pooling) -> Tensor:
    """texts × tokens × width to texts × width."""
    if pooling == "first":
        return hidden[:, 0]
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


def _default(prompts: dict[str, Any]) -> str:
    return prompts.get("default_prompt_name") or ""


def _content(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
