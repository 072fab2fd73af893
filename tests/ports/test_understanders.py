"""Every understander that ships passes the contract; the models behind two of them are played by a few words."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from zhuli import registry
from zhuli.core.errors import InvalidRequest
from zhuli.ports import Understander
from zhuli.testing.plain_services import PlainServices
from zhuli.testing.understander_contract import DOMAIN, UnderstanderContract
from zhuli.types.learning.example import Prediction
from zhuli.types.models.generation import GenerationRequest
from zhuli.types.understanding.domain import OUT_OF_SCOPE, DomainFields
from zhuli.types.understanding.understanding import DialogueState

WORDS = {
    r"hotel|room|酒店": "book_hotel",
    r"cancel|undo|drop|取消": "cancel_booking",
    r"open|opening|几点": "opening_hours",
}
CITY = re.compile(r"Paris|Rome")


class ModelsOfWords(PlainServices):
    """A tuned model of intents, one of entities, and a chat model, which all know WORDS and two cities."""

    async def predict(self, model: str, inputs: Sequence[Any]) -> list[Prediction]:
        return [cities(text) if model == "cities" else labels(text) for text in inputs]

    async def generate(self, model: str | None, request: GenerationRequest) -> str:
        text = orjson.loads(request.messages[-1]["content"])["message"]
        intent = intent_of(text)
        started = [{"command": "start", "intent": intent}] if intent != OUT_OF_SCOPE else []
        said = [span["word"] for span in cities(text)]
        filled = [{"command": "set", "slot": "city", "words": word, "value": word} for word in said]
        return orjson.dumps({"commands": [*started, *filled], "certainty": 90}).decode()


def intent_of(text: str) -> str:
    return next((name for words, name in WORDS.items() if re.search(words, text)), OUT_OF_SCOPE)


def labels(text: str) -> Prediction:
    """The likeliest first, as models give them."""
    names = dict.fromkeys([intent_of(text), *WORDS.values(), OUT_OF_SCOPE])
    return [{"label": name, "score": 0.05 if place else 0.85} for place, name in enumerate(names)]


def cities(text: str) -> Prediction:
    return [
        {"entity_group": "city", "score": 0.9, "word": found[0], "start": found.start(), "end": found.end()}
        for found in CITY.finditer(text)
    ]


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


class TestInContext(TestFewShot):
    settings = {
        "type": "in_context",
        "often": {"book_hotel": 40, "cancel_booking": 40, "opening_hours": 40},
        "follows": {"": {"book_hotel": 5, "opening_hours": 5}, "book_hotel": {"cancel_booking": 30}},
    }

    async def test_what_followed_often_is_likelier_behind_it(self, understander: Understander) -> None:
        text = "please undo that, or are you open"
        states = (DialogueState(turn=1, intent="book_hotel"), DialogueState(turn=1, intent="opening_hours"))
        behind, elsewhere = [(await understander.read([text], state))[0] for state in states]
        shares = [{one.name: one.confidence for one in each.ranking} for each in (behind, elsewhere)]
        assert shares[0]["cancel_booking"] > shares[1]["cancel_booking"]
        assert sum(shares[0].values()) == pytest.approx(sum(shares[1].values()), abs=1e-6)

    def test_counts_that_are_none_are_refused(self, domain: DomainFields, folder: Path) -> None:
        settings = domain.understander.model_copy(update={"follows": {"book_hotel": 3}})
        with pytest.raises(InvalidRequest, match="follows"):
            registry.find("understanders", "in_context")(
                domain.model_copy(update={"understander": settings}), ModelsOfWords(folder)
            )


class TestTuned(TestFewShot):
    settings = {"type": "tuned", "model": "intents", "entity_model": "cities"}


class TestLlm(TestFewShot):
    settings = {"type": "llm"}


class TestLlmWithAnEmbedder(TestFewShot):
    settings = {"type": "llm", "embedder": "hashed"}


class TestScripted(TestFewShot):
    settings = {
        "type": "zhuli.testing.scripted_understander:Plugin",
        "script": {
            r"hotel(?: in (?P<city>\w+))?": "book_hotel",
            "cancel|取消": "cancel_booking",
            "open": "opening_hours",
        },
    }
