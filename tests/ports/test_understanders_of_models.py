"""Understanders that ask models pass the contract, with models that know a few words; and so does the scripted one."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from zhuli import registry
from zhuli.ports import Understander
from zhuli.testing.plain_senses import PlainSenses
from zhuli.testing.scripted_understander import Plugin as Scripted
from zhuli.testing.understander_contract import DOMAIN, UnderstanderContract
from zhuli.types.domain import OUT_OF_SCOPE, DomainFields
from zhuli.types.example import Prediction
from zhuli.types.generation import GenerationRequest

WORDS = {
    r"hotel|room|酒店": "book_hotel",
    r"cancel|undo|drop|取消": "cancel_booking",
    r"open|opening|几点": "opening_hours",
}
CITY = re.compile(r"Paris|Rome")


def intent_of(text: str) -> str:
    return next((name for words, name in WORDS.items() if re.search(words, text)), OUT_OF_SCOPE)


class Models(PlainSenses):
    """A tuned model of intents, one of entities, and a chat model, which all know WORDS and two cities."""

    async def predict(self, model: str, inputs: Sequence[Any]) -> list[Prediction]:
        return [self._spans(text) if model == "entities" else self._scores(text) for text in inputs]

    async def generate(self, model: str | None, request: GenerationRequest) -> str:
        text = orjson.loads(request.messages[-1]["content"])["message"]
        entities = [{"entity": "city", "text": span["word"], "value": span["word"]} for span in self._spans(text)]
        answer = {"intent": intent_of(text), "confidence": 90, "second": OUT_OF_SCOPE, "entities": entities}
        return orjson.dumps(answer).decode()

    def _scores(self, text: str) -> list[dict[str, Any]]:
        meant = intent_of(text)
        others = [name for name in (*WORDS.values(), OUT_OF_SCOPE) if name != meant]
        return [{"label": meant, "score": 0.85}, *({"label": name, "score": 0.05} for name in others)]

    def _spans(self, text: str) -> list[dict[str, Any]]:
        return [
            {"entity_group": "city", "score": 0.9, "word": found[0], "start": found.start(), "end": found.end()}
            for found in CITY.finditer(text)
        ]


class TestTuned(UnderstanderContract):
    def domain_fields(self) -> dict[str, Any]:
        return DOMAIN | {"understander": {"type": "tuned", "model": "intents", "entity_model": "entities"}}

    @pytest.fixture
    def understander(self, domain: DomainFields, tmp_path: Path) -> Understander:
        found: Understander = registry.find("understanders", "tuned")(domain, Models(tmp_path))
        return found


class TestLlm(UnderstanderContract):
    def domain_fields(self) -> dict[str, Any]:
        return DOMAIN | {"understander": {"type": "llm", "embedder": "hashed"}}

    @pytest.fixture
    def understander(self, domain: DomainFields, tmp_path: Path) -> Understander:
        found: Understander = registry.find("understanders", "llm")(domain, Models(tmp_path))
        return found


class TestScripted(UnderstanderContract):
    def domain_fields(self) -> dict[str, Any]:
        return DOMAIN | {"understander": {"type": "scripted", "script": {**WORDS, "(?P<city>Rome)": "book_hotel"}}}

    @pytest.fixture
    def understander(self, domain: DomainFields, tmp_path: Path) -> Understander:
        return Scripted(domain, Models(tmp_path))
