"""Every understander that ships passes the contract; the models behind two of them are played by a few words."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from zhuli import registry
from zhuli.ports import Understander
from zhuli.testing.plain_senses import PlainSenses
from zhuli.testing.understander_contract import DOMAIN, UnderstanderContract
from zhuli.types.domain import OUT_OF_SCOPE, DomainFields
from zhuli.types.example import Prediction
from zhuli.types.generation import GenerationRequest

TELLING = {"hotel": "book_hotel", "cancel": "cancel_booking", "取消": "cancel_booking", "open": "opening_hours"}


class ModelsOfWords(PlainSenses):
    """A tuned model, one that finds cities, and a chat model, which know these few words."""

    async def predict(self, model: str, inputs: Sequence[Any]) -> list[Prediction]:
        return [cities(text) if model == "cities" else labels(text) for text in inputs]

    async def generate(self, model: str | None, request: GenerationRequest) -> str:
        text = json.loads(request.messages[-1]["content"])["message"]
        named = [{"entity": "city", "text": "Rome", "value": "Rome"}] if "Rome" in text else []
        return json.dumps({"intent": told(text), "confidence": 90, "second": OUT_OF_SCOPE, "entities": named})


def told(text: str) -> str:
    return next((intent for word, intent in TELLING.items() if word in text), OUT_OF_SCOPE)


def labels(text: str) -> Prediction:
    names = dict.fromkeys([told(text), *TELLING.values(), OUT_OF_SCOPE])
    return [{"label": name, "score": 0.91 if name == told(text) else 0.03} for name in names]


def cities(text: str) -> Prediction:
    at = text.find("Rome")
    return [{"entity_group": "city", "score": 0.9, "start": at, "end": at + 4, "word": "Rome"}] if at >= 0 else []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For all tests, so that the first learns and the others read what it kept."""
    return tmp_path_factory.mktemp("learned")


class TestFewShot(UnderstanderContract):
    settings: dict[str, Any] = {"type": "few_shot"}

    def domain_fields(self) -> dict[str, Any]:
        return {**DOMAIN, "understander": self.settings}

    @pytest.fixture
    def understander(self, domain: DomainFields, folder: Path) -> Understander:
        made: Understander = registry.find("understanders", domain.understander.type)(domain, ModelsOfWords(folder))
        return made


class TestTuned(TestFewShot):
    settings = {"type": "tuned", "model": "intents", "entity_model": "cities"}


class TestLlm(TestFewShot):
    settings = {"type": "llm"}


class TestScripted(TestFewShot):
    settings = {
        "type": "zhuli.testing.scripted_understander:Plugin",
        "script": {
            r"hotel(?: in (?P<city>\w+))?": "book_hotel",
            "cancel|取消": "cancel_booking",
            "open": "opening_hours",
        },
    }
