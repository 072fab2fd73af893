"""Texts that need no examples: names as they are written, kinds before what they are kinds of, and which slot they are for."""

import pytest

from tests.units.understanding.conversation import Conversation
from zhuli.types.understanding.domain import DomainFields, Slot
from zhuli.understanding.dialogue.slots.stated import stated
from zhuli.understanding.dialogue.utterance.name_cues import speaks_of
from zhuli.understanding.language.entity_extraction.kinds import find_kinds
from zhuli.understanding.language.entity_extraction.names import find_names

DOMAIN = DomainFields.model_validate(
    {
        "intents": [
            {"name": "fly", "form": "flight"},
            {"name": "film", "form": "film"},
            {"name": "rent", "form": "rental"},
        ],
        "slots": [
            {"name": "origin_city"},
            {"name": "destination_city"},
            {"name": "departure", "type": "date"},
            {"name": "bags", "type": "number"},
            {"name": "genre", "description": "Genre of the movie"},
            {"name": "director"},
            {"name": "actors"},
            {"name": "subtitles", "type": "category", "values": [{"value": "English"}, {"value": "Spanish"}]},
        ],
        "forms": [
            {
                "name": "flight",
                "slots": ["origin_city", "destination_city", "departure"],
                "optional": ["bags"],
                "action": {"type": "talk"},
            },
            {"name": "film", "slots": ["genre"], "optional": ["director", "actors"], "action": {"type": "talk"}},
            {"name": "rental", "slots": ["subtitles"], "action": {"type": "talk"}},
        ],
    }
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("I am leaving from Phoenix and going to Las Vegas on the 12th.", ["Phoenix", "Las Vegas"]),
        ("i'm flying to toronto from chicago on the 11th", ["toronto", "chicago"]),
        ("I want to go to new york", ["new york"]),
        ("book a table in rome", ["rome"]),
        ("I'd like to watch Lord of the Rings on Monday", ["Lord of the Rings"]),
        ("What's the weather in Oakland on March 3rd?", ["Oakland"]),
        ("Songs by Ed Sheeran please", ["Ed Sheeran"]),
        ("I need to attend a meeting", []),
        ("Hello, I want to book a table for two", []),
        ("HELLO I WANT A TABLE NOW", []),
    ],
)
def test_names_are_found_as_they_are_written(text: str, names: list[str]) -> None:
    assert [one.value for one in find_names(text)] == names


@pytest.mark.parametrize(
    ("text", "nouns", "kinds"),
    [
        ("I'd like to watch a Drama movie", {"movie"}, ["Drama"]),
        ("nice country songs, please", {"song"}, ["country"]),
        ("is there a Thai restaurant", {"food", "restaurant"}, ["Thai"]),
        ("any comedy films?", {"movie"}, ["comedy"]),
        ("find me another movie", {"movie"}, []),
        ("a good movie", {"movie"}, []),
    ],
)
def test_a_kind_stands_before_what_it_is_a_kind_of(text: str, nouns: set[str], kinds: list[str]) -> None:
    assert [one.value for one in find_kinds(text, nouns)] == kinds


@pytest.mark.parametrize(
    ("slot", "text", "name", "said"),
    [
        ("origin_city", "from Rome to Oslo", "Rome", 1),
        ("origin_city", "from Rome to Oslo", "Oslo", -1),
        ("city", "the weather in Paris", "Paris", 1),
        ("director", "directed by Neil Marshall", "Neil", 1),
        ("actors", "directed by Neil Marshall", "Neil", -1),
        ("actors", "something with Judith Hofmann", "Judith", 1),
        ("actors", "I want Everett Sloane in it", "Everett", 1),
        ("artist", "preferably by Jimmie Allen", "Jimmie", 1),
        ("actors", "preferably by Jimmie Allen", "Jimmie", -1),
        ("note", "in Paris", "Paris", 0),
    ],
)
def test_the_words_around_a_name_say_which_slot_it_is_for(slot: str, text: str, name: str, said: int) -> None:
    assert speaks_of(Slot(name=slot), text, text.index(name)) == said


@pytest.mark.parametrize(
    ("said", "of", "value"),
    [
        ("I like comedy movies", "genre of the movie", "comedy"),
        ("Something like Pop.", "genre", "Pop"),
        ("I'm in the mood for Italian food", "category of food", "Italian"),
        ("How about drama?", "genre", "drama"),
        ("I'd like it to be left at the door", "note", "I'd like it to be left at the door"),
        ("my brother", "payee", "my brother"),
    ],
)
def test_of_a_wish_what_is_wished_for_is_kept(said: str, of: str, value: str) -> None:
    assert stated(said, of=of) == value


def test_ends_of_a_way_go_to_their_slots_asked_for_or_not() -> None:
    talk = Conversation(DOMAIN)
    talk.says("I need a flight", "fly")
    talk.says("I am leaving from Rome and going to Oslo on the 12th", "")
    assert (talk.slots.get("origin_city"), talk.slots.get("destination_city")) == ("Rome", "Oslo")
    assert talk.slots.get("departure") == "2026-12-12"


def test_of_an_answer_with_two_names_the_one_that_was_asked_for_is_taken() -> None:
    talk = Conversation(DOMAIN)
    talk.says("I need a flight", "fly")
    assert talk.state.asked is not None and talk.state.asked.slot == "origin_city"
    talk.says("flights from Washington", "")
    assert talk.slots.get("origin_city") == "Washington"
    assert talk.slots.get("destination_city") is None


def test_bags_are_no_passengers() -> None:
    talk = Conversation(DOMAIN)
    talk.says("I need a flight", "fly")
    talk.says("from Rome to Oslo with 0 checked bags", "")
    assert talk.slots.get("bags") == 0


def test_the_form_that_has_use_for_what_was_said_is_opened() -> None:
    talk = Conversation(DOMAIN)
    talk.in_scope = 0.8
    talk.says("a Drama movie directed by Simon Jaquemet and with Judith Hofmann", "rent")
    assert talk.state.intent == "film"
    assert [talk.slots.get(name) for name in ("genre", "director", "actors")] == [
        "Drama",
        "Simon Jaquemet",
        "Judith Hofmann",
    ]
