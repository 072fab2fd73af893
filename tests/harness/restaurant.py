"""A domain for stories of runs: a table is booked over several messages, the rest is answered, searched, or left to the model.

It is understood by a script, so what is tested is what runs make of it and not how well a model understands.
"""

from typing import Any

from tests.harness.server import UNDERSTANDER
from tests.harness.stories import function

BOOK = function("book_table", description="Book a table.")

RESTAURANT: dict[str, Any] = {
    "name": "Restaurant",
    "understander": {
        "type": UNDERSTANDER,
        "script": {
            "^hello": "greet",
            "table": "book",
            "when .*open|how high": "look_up",
            "joke": "chat",
            "person": "complain",
        },
    },
    "intents": [
        {"name": "greet", "examples": ["hello"], "action": {"type": "respond", "response": "welcome"}},
        {"name": "book", "examples": ["a table please"], "form": "booking"},
        {"name": "look_up", "examples": ["when are you open?"], "action": {"type": "search"}},
        {"name": "chat", "examples": ["tell me a joke"], "action": {"type": "talk", "instructions": "Be brief."}},
        {"name": "complain", "examples": ["a person, now"], "action": {"type": "hand_over", "response": "fetching"}},
    ],
    "entities": [{"name": "people", "kind": "number"}],
    "slots": [
        {"name": "people", "type": "number", "prompt": "For how many people?"},
        {"name": "seat", "type": "category", "values": [{"value": "inside"}, {"value": "terrace"}], "prompt": "Where?"},
    ],
    "forms": [
        {
            "name": "booking",
            "slots": ["people", "seat"],
            "action": {
                "type": "call",
                "function": "book_table",
                "arguments": {"people": "{people}", "seat": "{seat}"},
                "response": "booked",
            },
        }
    ],
    "responses": {
        "welcome": "Welcome to Luzhou.",
        "booked": "Booked: number {result.number}.",
        "fetching": "A colleague will be with you.",
    },
}
