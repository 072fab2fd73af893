"""The understander of tuned models: what their answers become, whose names are matched, and which threshold is chosen."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from zhuli import registry
from zhuli.core.errors import InvalidRequest
from zhuli.core.hints import Hints
from zhuli.models.catalog import Catalog
from zhuli.ports import Understander
from zhuli.store.opening import open_database
from zhuli.types.learning.prediction import PredictionCreate, PredictionList, PredictionResult, PredictionUsage
from zhuli.types.understanding.domain import DomainFields
from zhuli.types.understanding.understanding import DialogueState, Reading
from zhuli.understanding.dialogue.understander_services import UnderstanderServices

DOMAIN: dict[str, Any] = {
    "intents": [{"name": "card_lost", "examples": ["my card is gone"]}, {"name": "greet", "examples": ["hi"]}],
    "entities": [{"name": "city"}, {"name": "day", "kind": "date"}],
}

INTENTS = {
    "my card is gone": {"Card lost": 0.8, "greet": 0.1, "out_of_scope": 0.1},
    "hi": {"greet": 0.6, "Card lost": 0.3, "out_of_scope": 0.1},
    "the weather": {"out_of_scope": 0.7, "greet": 0.2, "Card lost": 0.1},
    "?": {"out_of_scope": 0.9, "greet": 0.1},
}

Said = Mapping[str, Mapping[str, float]]


def scores(of: Mapping[str, float]) -> list[dict[str, Any]]:
    return [{"label": label, "score": score} for label, score in of.items()]


class Models:
    """Answers as POST /v1/predictions would, of the models "ft:intents" and "ft:entities"."""

    def __init__(self, said: Said) -> None:
        self.said = said
        self.spans: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[tuple[str, list[str]]] = []

    async def answer(self, project: str, body: PredictionCreate) -> PredictionList:
        self.asked.append((body.model, body.input))
        of_entities = body.model == "ft:entities"
        outputs = [self.spans.get(text, []) if of_entities else scores(self.said[text]) for text in body.input]
        return PredictionList(
            model=body.model,
            task="token_classification" if of_entities else "text_classification",
            data=[
                PredictionResult(id=f"pred_{index}", index=index, output=output) for index, output in enumerate(outputs)
            ],
            usage=PredictionUsage(prompt_tokens=1, total_tokens=1),
        )


@pytest.fixture
def models() -> Models:
    return Models(INTENTS)


def understander(models: Models, folder: Path, *, names: Mapping[str, str], **changes: Any) -> Understander:
    database, catalog = open_database(f"sqlite:///{folder / 'zhuli.db'}", Hints()), Catalog.load(None, folder)
    services = UnderstanderServices("default", ["en"], folder, database, catalog, models.answer)
    domain = DomainFields.model_validate({**DOMAIN, "understander": {"type": "tuned", **names}, **changes})
    made: Understander = registry.find("understanders", "tuned")(domain, services)
    return made


def ranked(reading: Reading) -> list[tuple[str, float]]:
    return [(score.name, round(reading.in_scope * score.confidence, 6)) for score in reading.ranking]


BOTH = {"model": "ft:intents", "entity_model": "ft:entities"}


async def test_labels_are_intents_of_the_same_name_and_their_scores_are_kept(models: Models, tmp_path: Path) -> None:
    made = understander(models, tmp_path, names={"model": "ft:intents"})
    card, weather = await made.read(["my card is gone", "the weather"], DialogueState())
    assert ranked(card) == [("card_lost", 0.8), ("greet", 0.1)]
    assert card.in_scope == pytest.approx(0.9)
    assert sum(score.confidence for score in card.ranking) == pytest.approx(1)
    assert weather.in_scope == pytest.approx(0.3)
    assert weather.reasons == []


async def test_a_label_that_is_no_intent_counts_against_all_and_is_told(tmp_path: Path) -> None:
    models = Models({**INTENTS, "pay": {"payments": 0.6, "greet": 0.4}, "hi": {"greet": 0.7, "payments": 0.3}})
    made = understander(models, tmp_path, names={"model": "ft:intents"})
    [reading] = await made.read(["pay"], DialogueState())
    assert (ranked(reading), reading.in_scope) == ([("greet", 0.4)], 0.4)
    assert reading.reasons == ["The model says 'payments', which is no intent of the domain."]


async def test_its_report_names_what_model_and_domain_do_not_share(tmp_path: Path) -> None:
    models = Models({"my card is gone": {"greet": 0.5, "payments": 0.5}, "hi": {"greet": 0.9, "payments": 0.1}})
    made = understander(models, tmp_path, names={"model": "ft:intents"})
    await made.prepare()
    assert made.report is not None
    assert [(finding.where, finding.message) for finding in made.report.findings] == [
        ("intents[0]", "The model 'ft:intents' has no label 'card_lost': it can't tell it."),
        (
            "understander.model",
            "The model 'ft:intents' has 1 labels that are no intents; they are out of scope: payments.",
        ),
    ]


async def test_spans_are_the_domain_s_learned_entities_with_roles_and_values(models: Models, tmp_path: Path) -> None:
    models.spans["hi"] = [
        {"entity_group": "City#to", "score": 0.9, "word": "hi", "start": 0, "end": 1},
        {"entity_group": "day", "score": 0.9, "word": "hi", "start": 0, "end": 2},
        {"entity_group": "PER", "score": 0.9, "word": "hi", "start": 0, "end": 2},
    ]
    intents = [{"name": "greet", "examples": ["[h](city:Hanoi)i"]}]
    made = understander(models, tmp_path, names=BOTH, intents=intents)
    [reading] = await made.read(["hi"], DialogueState())
    [city] = reading.entities
    assert (city.entity, city.role, city.text, city.value, city.start, city.end) == ("city", "to", "h", "Hanoi", 0, 1)
    assert (city.source, city.confidence) == ("learned", 0.9)
    assert reading.reasons == [
        "The model found 'day', which is no learned entity of the domain.",
        "The model found 'PER', which is no learned entity of the domain.",
    ]


async def test_pictures_are_kept_from_the_models_and_offsets_still_match(tmp_path: Path) -> None:
    models = Models({**INTENTS, "hi  ": INTENTS["hi"], "👍": INTENTS["hi"]})
    models.spans["hi  "] = [{"entity_group": "City", "score": 0.9, "word": "hi", "start": 0, "end": 2}]
    made = understander(models, tmp_path, names=BOTH)
    waved, thumb = await made.read(["hi👋🏽", "👍"], DialogueState())
    assert waved.ranking[0].name == thumb.ranking[0].name == "greet"
    assert [(city.text, city.start, city.end) for city in waved.entities] == [("hi", 0, 2)]
    assert models.asked[-1][1] == ["hi  ", "👍"]


async def test_with_entities_alone_every_intent_is_out_of_scope(models: Models, tmp_path: Path) -> None:
    made = understander(models, tmp_path, names={"entity_model": "ft:entities"})
    [reading] = await made.read(["hi"], DialogueState())
    assert (reading.ranking, reading.in_scope) == ([], 0.0)
    assert reading.reasons == ["No model tells intents: 'understander.model' is not set."]


async def test_without_any_model_the_domain_is_refused(models: Models, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="needs 'model'") as caught:
        understander(models, tmp_path, names={})
    assert caught.value.param == "understander.model"


async def test_a_model_of_another_task_is_refused_by_name(models: Models, tmp_path: Path) -> None:
    made = understander(models, tmp_path, names={"entity_model": "ft:intents"})
    with pytest.raises(InvalidRequest, match="'ft:intents' does not do token_classification") as caught:
        await made.prepare()
    assert caught.value.param == "understander.entity_model"


async def test_all_texts_are_asked_at_once_and_empty_ones_not_at_all(models: Models, tmp_path: Path) -> None:
    made = understander(models, tmp_path, names=BOTH)
    await made.prepare()
    models.asked.clear()
    empty, _, again = await made.read([" ", "hi", "hi"], DialogueState())
    assert sorted(models.asked) == [("ft:entities", ["hi", "hi"]), ("ft:intents", ["hi", "hi"])]
    assert (empty.in_scope, empty.ranking) == (0.0, [])
    assert ranked(again)[0] == ("greet", 0.6)
    models.asked.clear()
    await made.read([""], DialogueState())
    assert models.asked == []


async def test_the_threshold_separates_the_domain_s_examples_from_those_outside(models: Models, tmp_path: Path) -> None:
    models.said = {**INTENTS, "hm": {"greet": 0.55, "out_of_scope": 0.45}}
    made = understander(models, tmp_path, names={"model": "ft:intents"}, out_of_scope=["hm", "the weather"])
    await made.prepare()
    assert made.report is not None and made.report.threshold is not None
    assert 0.55 < made.report.threshold <= 0.6


async def test_without_examples_outside_the_threshold_is_only_lowered(models: Models, tmp_path: Path) -> None:
    made = understander(models, tmp_path, names={"model": "ft:intents"})
    await made.prepare()
    assert made.report is not None and made.report.threshold == 0.5
    models.said = {**INTENTS, "hi": {"greet": 0.3, "Card lost": 0.1, "out_of_scope": 0.6}}
    made = understander(models, tmp_path, names={"model": "ft:intents"})
    await made.prepare()
    assert made.report is not None and made.report.threshold == 0.3


async def test_the_domain_s_own_threshold_is_kept(models: Models, tmp_path: Path) -> None:
    made = understander(models, tmp_path, names={"model": "ft:intents"}, fallback={"threshold": 0.77})
    [reading] = await made.read(["hi"], DialogueState())
    assert reading.threshold == 0.77


async def test_a_domain_without_examples_still_asks_its_model_once(models: Models, tmp_path: Path) -> None:
    made = understander(models, tmp_path, names={"model": "ft:intents"}, intents=[{"name": "greet"}])
    await made.prepare()
    assert models.asked == [("ft:intents", ["?"])]
