"""The contract of understanders as tests: subclass UnderstanderContract and give it yours.

    class TestMine(UnderstanderContract):
        @pytest.fixture
        def understander(self, domain: DomainFields, tmp_path: Path) -> Plugin:
            return Plugin(domain, PlainServices(tmp_path))

`domain` is a small travel desk; another one is told by overriding domain_fields(), best with the same intents and entities.
Nothing here judges how well it understands, beyond this: its own examples, and what is in no language at all.
"""

from collections.abc import Sequence
from typing import Any

import pytest

from zhuli.ports import Understander
from zhuli.types.understanding.domain import DomainFields
from zhuli.types.understanding.understanding import Asked, DialogueState, Reading

DOMAIN: dict[str, Any] = {
    "languages": ["en", "zh"],
    "entities": [{"name": "city"}, {"name": "day", "kind": "date"}],
    "slots": [{"name": "city"}],
    "intents": [
        {
            "name": "book_hotel",
            "description": "The user wants a room to sleep in.",
            "examples": [
                "book a hotel in [Paris](city)",
                "i need a room in [Rome](city)",
                "find me a hotel in [New York](city:NYC)",
                "reserve a double room for two nights",
                "a hotel room in [Berlin](city) please",
                "我要订一间酒店",
            ],
        },
        {
            "name": "cancel_booking",
            "examples": [
                "cancel my booking",
                "please cancel the reservation",
                "i want to cancel what i booked",
                "can you undo my booking",
                "drop the reservation i made",
                "取消我的预订",
            ],
        },
        {
            "name": "opening_hours",
            "examples": [
                "when are you open",
                "what are your opening hours",
                "are you open on sunday",
                "until when are you open today",
                "opening times please",
                "你们几点开门",
            ],
        },
    ],
    "out_of_scope": ["who won the football match", "tell me a story about dragons", "what is two plus two"],
}

NONSENSE = "qzxv wjkp bbtr mnzq vvrx"

TEXTS = (
    "book a hotel in Paris",
    "please cancel the reservation",
    "when are you open",
    NONSENSE,
    "取消我的预订",
    "to Rome, 🎉 with my naïve friend!",
)


class UnderstanderContract:
    """What holds for every understander. `tolerance`: how far a confidence may move with a text's company."""

    tolerance = 0.01

    def domain_fields(self) -> dict[str, Any]:
        """The domain that the understander is made for."""
        return DOMAIN

    @pytest.fixture
    def domain(self) -> DomainFields:
        """What domain_fields() says, as the domain that is understood."""
        return DomainFields.model_validate(self.domain_fields())

    async def test_making_one_learns_nothing(self, understander: Understander) -> None:
        assert understander.report is None

    async def test_preparing_reports_what_was_learned_and_may_be_repeated(self, understander: Understander) -> None:
        await understander.prepare()
        report = understander.report
        assert report is not None and report.learned
        assert report.accuracy is None or 0 <= report.accuracy <= 1
        assert all(finding.level == "warning" for finding in report.findings)
        await understander.prepare()
        assert understander.report == report

    async def test_reading_prepares_what_is_not_prepared(self, understander: Understander) -> None:
        assert len(await understander.read(TEXTS[:1], DialogueState())) == 1
        assert understander.report is not None

    async def test_every_text_has_a_reading_in_its_place(self, understander: Understander) -> None:
        forwards = await understander.read(TEXTS, DialogueState())
        backwards = await understander.read(TEXTS[::-1], DialogueState())
        assert len(forwards) == len(TEXTS)
        for one, other in zip(forwards, reversed(backwards), strict=True):
            self.same(one, other)

    async def test_no_texts_have_no_readings(self, understander: Understander) -> None:
        assert await understander.read([], DialogueState()) == []

    async def test_a_text_is_read_the_same_alone_and_with_others(self, understander: Understander) -> None:
        together = await understander.read([*TEXTS, TEXTS[0]], DialogueState())
        for text, reading in zip([*TEXTS, TEXTS[0]], together, strict=True):
            (alone,) = await understander.read([text], DialogueState())
            self.same(alone, reading)

    async def test_an_example_is_read_as_its_intent_and_believed(
        self, understander: Understander, domain: DomainFields
    ) -> None:
        for text, intent in zip(TEXTS[:3], ("book_hotel", "cancel_booking", "opening_hours"), strict=True):
            (reading,) = await understander.read([text], DialogueState())
            assert reading.ranking[0].name == intent
            assert belief(reading) >= reading.threshold

    async def test_intents_are_the_domain_s_and_ranked(self, understander: Understander, domain: DomainFields) -> None:
        names = {intent.name for intent in domain.intents}
        for reading in await understander.read(TEXTS, DialogueState()):
            ranked = [score.name for score in reading.ranking]
            assert set(ranked) <= names
            assert len(set(ranked)) == len(ranked)
            shares = [score.confidence for score in reading.ranking]
            assert shares == sorted(shares, reverse=True)

    async def test_confidences_are_shares_of_one(self, understander: Understander) -> None:
        for reading in await understander.read([*TEXTS, ""], DialogueState()):
            assert all(0 <= score.confidence <= 1 for score in reading.ranking)
            assert sum(score.confidence for score in reading.ranking) <= 1 + 1e-6
            assert 0 <= reading.in_scope <= 1
            assert 0 <= reading.threshold <= 1

    async def test_nonsense_is_out_of_scope(self, understander: Understander) -> None:
        (reading,) = await understander.read([NONSENSE], DialogueState())
        assert belief(reading) < max(reading.threshold, 1e-9)

    async def test_entities_stand_where_they_are_said_to(
        self, understander: Understander, domain: DomainFields
    ) -> None:
        names = {entity.name for entity in domain.entities}
        for text, reading in zip(TEXTS, await understander.read(TEXTS, DialogueState()), strict=True):
            for found in reading.entities:
                assert found.entity in names
                assert found.start < found.end
                assert text[found.start : found.end] == found.text
                assert found.confidence is None or 0 <= found.confidence <= 1

    async def test_texts_without_words_are_out_of_scope(self, understander: Understander) -> None:
        for reading in await understander.read(["", " \n\t"], DialogueState()):
            assert belief(reading) < max(reading.threshold, 1e-9)
            assert reading.entities == []

    @pytest.mark.parametrize("text", ["x" * 10_000, "hotel " * 1666, "酒店" * 5000, "\x00\ud7ff 🎉\u202e"])
    async def test_long_and_strange_texts_are_read(self, understander: Understander, text: str) -> None:
        (reading,) = await understander.read([text], DialogueState())
        assert all(text[found.start : found.end] == found.text for found in reading.entities)

    async def test_the_domain_s_own_threshold_counts(self, understander: Understander, domain: DomainFields) -> None:
        fallback = domain.fallback.model_copy(update={"threshold": 0.123})
        domain.fallback = fallback  # the fixture's domain is the one that the understander was made with
        (reading,) = await understander.read(TEXTS[:1], DialogueState())
        assert reading.threshold == 0.123

    async def test_a_state_is_read_and_not_changed(self, understander: Understander) -> None:
        state = DialogueState(turn=3, asked=Asked(slot="city"))
        before = state.model_copy(deep=True)
        await understander.read(["Rome", "no_such_slot"], state)
        await understander.read(["Rome"], DialogueState(asked=Asked(slot="gone")))
        assert state == before

    def same(self, one: Reading, other: Reading) -> None:
        """Assert that two readings are one, up to the tolerance."""
        shares = {score.name: score.confidence for score in other.ranking}
        assert {score.name: score.confidence for score in one.ranking} == pytest.approx(shares, abs=self.tolerance)
        assert one.in_scope == pytest.approx(other.in_scope, abs=self.tolerance)
        assert spans(one) == spans(other)


def belief(reading: Reading) -> float:
    """How likely the best intent is meant; 0 where there is none."""
    return reading.in_scope * reading.ranking[0].confidence if reading.ranking else 0.0


def spans(reading: Reading) -> Sequence[tuple[str, int, int]]:
    """Entity, start and end of each entity that was found."""
    return [(found.entity, found.start, found.end) for found in reading.entities]
