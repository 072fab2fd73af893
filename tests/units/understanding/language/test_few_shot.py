"""The few_shot understander: what it learns, keeps, forgets and reports. With the embedder `hashed`, which knows no meaning."""

from pathlib import Path
from typing import Any

import pytest

from zhuli.plugins.understanders.few_shot import Plugin, asked_entity
from zhuli.testing.plain_services import PlainServices
from zhuli.testing.understander_contract import belief
from zhuli.types.understanding.domain import DomainFields
from zhuli.types.understanding.understanding import Asked, DialogueState, Reading

NEW = DialogueState()

KITCHEN: dict[str, Any] = {
    "entities": [
        {"name": "cuisine", "values": [{"value": "Cantonese", "synonyms": ["canto style"]}]},
        {"name": "city", "kind": "lookup", "values": [{"value": "Paris"}, {"value": "Rome"}]},
    ],
    "slots": [{"name": "cuisine"}, {"name": "where", "mappings": [{"type": "entity", "entity": "city"}]}],
    "intents": [
        {
            "name": "find_restaurant",
            "examples": [
                "i want to eat [thai](cuisine) tonight",
                "reserve a table at a [french](cuisine) restaurant",
                "find me an [italian](cuisine) place",
                "is there a good [mexican](cuisine) restaurant",
                "somewhere with [thai](cuisine) food please",
            ],
        },
        {
            "name": "book_train",
            "examples": [
                "a train from [Paris](city#from) to [Rome](city#to)",
                "i need a ticket to [Rome](city#to)",
                "book me a train from [Rome](city#from)",
                "tickets to [Paris](city#to) for tomorrow",
                "take me from [Rome](city#from) to [Paris](city#to)",
            ],
        },
        {"name": "greet", "examples": ["hello", "hello there", "good morning", "good evening", "hi there"]},
    ],
}


class Counting(PlainServices):
    """The vectors of another embedder of the same length, for noticing that it is another."""

    turned = False

    async def embed(self, embedder: str | None, texts: Any) -> Any:
        return await super().embed(embedder, [f"other {text[::-1]}" for text in texts] if self.turned else texts)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("learned")


@pytest.fixture
def kitchen(folder: Path) -> Plugin:
    return Plugin(domain(), PlainServices(folder))


def domain(**changes: Any) -> DomainFields:
    return DomainFields.model_validate({**KITCHEN, **changes})


def files(folder: Path) -> list[Path]:
    """What was learned from a version of the domain; the vectors lie beside it for the next one."""
    return list(folder.glob("few_shot-*"))


async def one(understander: Plugin, text: str, state: DialogueState = NEW) -> Reading:
    (reading,) = await understander.read([text], state)
    return reading


async def found(understander: Plugin, text: str, state: DialogueState = NEW) -> list[tuple[str, str | None, str]]:
    return [(entity.entity, entity.role, entity.text) for entity in (await one(understander, text, state)).entities]


async def test_values_that_no_example_has_are_found_by_their_neighbours(kitchen: Plugin) -> None:
    assert await found(kitchen, "reserve a table at a burmese restaurant") == [("cuisine", None, "burmese")]


async def test_a_value_alone_answers_the_question_that_was_asked(kitchen: Plugin) -> None:
    asked = DialogueState(asked=Asked(slot="cuisine"))
    assert await found(kitchen, "burmese", asked) == [("cuisine", None, "burmese")]
    assert await found(kitchen, "burmese please", asked) == [("cuisine", None, "burmese")]
    assert await found(kitchen, "thai") == [("cuisine", None, "thai")]


@pytest.mark.parametrize("text", ["no", "No.", "yes", "yes please", "never mind", "hello"])
async def test_answers_that_name_nothing_are_no_entities(kitchen: Plugin, text: str) -> None:
    assert await found(kitchen, text) == []
    assert await found(kitchen, text, DialogueState(asked=Asked(slot="cuisine"))) == []


async def test_a_listed_synonym_stands_for_its_value(kitchen: Plugin) -> None:
    (entity,) = (await one(kitchen, "find me a Canto style place")).entities
    assert (entity.text, entity.value, entity.source) == ("Canto style", "Cantonese", "learned")


async def test_values_are_known_before_any_example_marks_one(tmp_path: Path) -> None:
    plain = domain(intents=[{"name": "greet", "examples": ["hello", "good morning"]}])
    assert await found(Plugin(plain, PlainServices(tmp_path)), "cantonese") == [("cuisine", None, "cantonese")]


async def test_chinese_values_are_found_without_a_dictionary(tmp_path: Path) -> None:
    said = [
        "我想点一份[宫保鸡丁](菜名)",
        "来一碗[牛肉面](菜名)",
        "要两份[麻婆豆腐](菜名)",
        "给我来个[鱼香肉丝](菜名)吧",
    ]
    chinese = {
        "languages": ["zh"],
        "entities": [{"name": "菜名"}],
        "slots": [{"name": "菜名"}],
        "intents": [{"name": "订餐", "examples": said}, {"name": "问候", "examples": ["你好", "早上好"]}],
    }
    understander = Plugin(DomainFields.model_validate(chinese), PlainServices(tmp_path))
    assert await found(understander, "我想点一份番茄炒蛋") == [("菜名", None, "番茄炒蛋")]
    asked = DialogueState(asked=Asked(slot="菜名"))
    assert await found(understander, "东坡肉", asked) == [("菜名", None, "东坡肉")]
    assert await found(understander, "不要了", asked) == []


async def test_roles_come_from_the_words_beside_also_for_values_of_a_list(kitchen: Plugin) -> None:
    reading = await one(kitchen, "a train from Rome to Paris")
    assert [(entity.role, entity.text, entity.source) for entity in reading.entities] == [
        ("from", "Rome", "role"),
        ("to", "Paris", "role"),
    ]


async def test_the_entity_of_the_asked_slot_is_known_by_its_mappings() -> None:
    assert asked_entity(domain(), DialogueState(asked=Asked(slot="cuisine"))) == "cuisine"
    assert asked_entity(domain(), DialogueState(asked=Asked(slot="where"))) == "city"
    assert asked_entity(domain(), DialogueState(asked=Asked())) is None
    assert asked_entity(domain(), DialogueState(asked=Asked(slot="gone"))) is None


async def test_what_was_learned_is_kept_and_not_learned_again(kitchen: Plugin, folder: Path) -> None:
    await kitchen.prepare()
    services = PlainServices(folder)
    again = Plugin(domain(), services)
    await again.prepare()
    assert again.report == kitchen.report
    assert services.embedded == [1]  # is it the same embedder?
    assert await one(again, "find me a thai place") == await one(kitchen, "find me a thai place")


async def test_the_same_domain_learns_the_same_in_another_folder(kitchen: Plugin, tmp_path: Path) -> None:
    other = Plugin(domain(), PlainServices(tmp_path))
    assert await one(other, "a thai place near Rome") == await one(kitchen, "a thai place near Rome")


async def test_another_embedder_is_noticed_and_learned_with(tmp_path: Path) -> None:
    plain = domain(entities=[], intents=[{"name": "a", "examples": ["red apple"]}, {"name": "b", "examples": ["blue"]}])
    await Plugin(plain, PlainServices(tmp_path)).prepare()
    services = Counting(tmp_path)
    services.turned = True
    again = Plugin(plain, services)
    await again.prepare()
    assert services.embedded[-1] > 3
    assert (await one(again, "red apple")).ranking[0].name == "a"


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not really", None])
async def test_a_damaged_file_is_as_if_it_were_not_there(tmp_path: Path, damage: bytes | None) -> None:
    plain = domain(entities=[], intents=[{"name": "a", "examples": ["red apple"]}, {"name": "b", "examples": ["blue"]}])
    await Plugin(plain, PlainServices(tmp_path)).prepare()
    (kept,) = files(tmp_path)
    for file in (kept, tmp_path / "vectors.npz"):
        file.write_bytes(file.read_bytes()[:-200] if damage is None else damage)
    again = Plugin(plain, PlainServices(tmp_path))
    await again.prepare()
    assert (await one(again, "red apple")).ranking[0].name == "a"
    assert files(tmp_path) == [kept]


async def test_a_changed_domain_leaves_only_what_it_learned_itself(tmp_path: Path) -> None:
    for name in ("a", "b"):
        await Plugin(
            domain(entities=[], intents=[{"name": name, "examples": ["red"]}]), PlainServices(tmp_path)
        ).prepare()
    assert len(files(tmp_path)) == 1


async def test_a_changed_domain_embeds_only_what_is_new_and_learns_as_if_it_were_new(tmp_path: Path) -> None:
    await Plugin(domain(entities=[]), PlainServices(tmp_path)).prepare()
    changed = domain(entities=[], out_of_scope=["blue cheese"], intents=[*KITCHEN["intents"], {"name": "bye"}])
    services = PlainServices(tmp_path)
    again, new = Plugin(changed, services), Plugin(changed, PlainServices(tmp_path / "new"))
    assert await one(again, "good morning") == await one(new, "good morning")
    assert services.embedded == [
        1,
        1,
        1,
    ]  # is it the same embedder? what is new ("bye" is small talk, too), what is read
    assert again.report == new.report


async def test_a_folder_that_can_not_be_written_costs_only_learning_again(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.touch()
    understander = Plugin(domain(entities=[]), PlainServices(blocked / "folder"))
    await understander.prepare()
    assert (await one(understander, "good morning")).ranking[0].name == "greet"


async def test_a_domain_without_intents_has_entities_and_nothing_in_scope(tmp_path: Path) -> None:
    reading = await one(Plugin(domain(intents=[]), PlainServices(tmp_path)), "hello")
    assert (reading.ranking, reading.in_scope, reading.entities) == ([], 0.0, [])


async def test_an_intent_is_understood_by_its_name_and_description_before_it_has_examples(tmp_path: Path) -> None:
    said = [
        {"name": "order_pizza", "description": "The user wants to order a pizza."},
        {"name": "talkToHuman", "description": "The user wants to talk to a human agent."},
    ]
    understander = Plugin(domain(entities=[], slots=[], intents=said), PlainServices(tmp_path))
    assert (await one(understander, "order a pizza")).ranking[0].name == "order_pizza"
    assert (await one(understander, "let me talk to a human")).ranking[0].name == "talkToHuman"
    assert understander.report is not None and understander.report.accuracy is None


async def test_messages_that_are_said_to_be_out_of_scope_are_not_believed(tmp_path: Path) -> None:
    outside = ["good morning america is a show", "evening gowns for sale", "train your dog", "the table of contents"]
    understander = Plugin(domain(entities=[], out_of_scope=outside), PlainServices(tmp_path))
    for text in outside:
        reading = await one(understander, text)
        assert belief(reading) < reading.threshold
    reading = await one(understander, "good morning")
    assert belief(reading) >= reading.threshold


class TestReport:
    async def test_intents_that_overlap_are_named_with_their_closest_examples(self, tmp_path: Path) -> None:
        said = [
            {
                "name": "cancel_order",
                "examples": [f"please cancel my {what}" for what in ("order", "bag", "car", "box")],
            },
            {"name": "stop_order", "examples": [f"please cancel my {what}" for what in ("cup", "hat", "sofa", "lamp")]},
            {"name": "greet", "examples": ["hello", "good morning", "good evening everybody", "hi there"]},
        ]
        understander = Plugin(domain(entities=[], intents=said), PlainServices(tmp_path))
        await understander.prepare()
        assert understander.report is not None
        (overlap,) = [finding for finding in understander.report.findings if finding.code == "overlap"]
        assert (overlap.level, overlap.where) == ("warning", "intents[0]")
        assert "'cancel_order' and 'stop_order'" in overlap.message
        assert overlap.message.count("'please cancel my ") == 2

    async def test_an_example_that_belongs_to_another_intent_is_named(self, tmp_path: Path) -> None:
        weather = [f"weather forecast for {day}" for day in ("monday", "tuesday", "friday", "sunday", "today", "may")]
        music = ["play some jazz", "play a song", "play rock", "play my playlist", "play the radio", "play that again"]
        said = [
            {"name": "weather", "examples": weather},
            {"name": "music", "examples": [*music, "weather forecast for saturday"]},
        ]
        understander = Plugin(domain(entities=[], intents=said), PlainServices(tmp_path))
        await understander.prepare()
        assert understander.report is not None
        (wrong,) = [finding for finding in understander.report.findings if finding.code == "contradiction"]
        assert wrong.where == "intents[1].examples[6]"
        assert "'weather forecast for saturday' is an example of 'music'" in wrong.message

    async def test_clear_intents_are_expected_to_be_told_and_have_no_findings(self, kitchen: Plugin) -> None:
        await kitchen.prepare()
        assert kitchen.report is not None
        assert kitchen.report.learned and kitchen.report.examples == 15
        assert kitchen.report.accuracy is not None and kitchen.report.accuracy > 0.7
        assert kitchen.report.threshold == (await one(kitchen, "hello")).threshold
