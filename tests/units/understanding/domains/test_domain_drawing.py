"""A domain as a flowchart in Mermaid: what there is, how it hangs together, in words that Mermaid takes."""

import re

from zhuli.types.understanding.domain import DomainFields
from zhuli.understanding.domains.drawing import MOST_ARROWS, draw
from zhuli.understanding.domains.yaml.reading import parse

SHOP = parse("""
intents:
  greet: {examples: [hi], action: {respond: welcome}}
  book: {examples: [a table], form: booking}
  "yes": {examples: ["yes"], act: affirm}
  faq/price: {examples: [how much], action: {respond: price}}
  faq/place: {examples: [where], action: {respond: place}}
slots: {people: number, note: text}
forms:
  booking: {slots: [people], optional: [note], confirm: "Shall I?", action: {call: book_table, response: booked}}
responses: {welcome: Hi, price: Ten, place: Here, booked: Done}
rules:
- when: {intents: ["yes"], after: [booked], slots: {note: null}}
  do: [{respond: welcome}, {call: send}, {open: booking}]
- when: {done: booking, known: [note]}
  do: [{call: book_with_note}]
""")

NODE = re.compile(r'  \w+(?:\(\["[^"\n]*"\]\)|\[/"[^"\n]*"/\]|\["[^"\n]*"\]):::(?:topic|form|act)')
ARROW = re.compile(r'  \w+ (?:-- "[^"\n]*" )?--> \w+')


def drawn(domain: DomainFields) -> set[str]:
    """The arrows, with what is written on their ends in place of the nodes' names; every line is Mermaid's."""
    first, *lines = draw(domain).splitlines()
    assert first == "flowchart LR"
    names: dict[str, str] = {}
    arrows = set()
    for line in lines:
        if NODE.fullmatch(line):
            name, text = re.match(r'  (\w+?)(?=[(\[]).*?"(.*)"', line).groups()  # type: ignore[union-attr]
            names[name] = text
        elif ARROW.fullmatch(line):
            start, middle, end = re.fullmatch(r"  (\w+) (.*)--> (\w+)", line).groups()  # type: ignore[union-attr]
            words = f"{middle[4:-2]} → " if middle else ""
            arrows.add(f"{names[start]} → {words}{names[end]}")
        else:
            assert line.startswith(("  classDef ", "  %% ")) or not line
    return arrows


def test_topics_lead_to_forms_and_actions_and_rules_name_their_conditions() -> None:
    arrows = drawn(SHOP)
    assert arrows >= {
        "greet → says welcome",
        "book → booking",
        "booking → asks → people · note?",
        "people · note? → confirmed → calls book_table",
        "faq/…<br/>2 questions → says the answer of each",
        "yes<br/>(affirm) → after booked; note: none → says welcome<br/>calls send",
        "yes<br/>(affirm) → after booked; note: none → booking",
        "people · note? → note known → calls book_with_note",
        "out of scope → the model answers",
    }
    assert drawn(DomainFields()) == {"out of scope → the model answers", "unclear → asks which was meant"}


def test_names_of_any_kind_are_written_as_mermaid_takes_them() -> None:
    odd = ['a"b', "#<c>", "订位", "x`y\\z", "end"]
    made = [{"name": name, "action": {"type": "talk"}} for name in odd]
    assert len(drawn(DomainFields.model_validate({"intents": made}))) == len(odd) + 2


def test_a_large_domain_is_drawn_as_far_as_mermaid_draws() -> None:
    made = [{"name": f"i{number}", "action": {"type": "talk"}} for number in range(MOST_ARROWS + 50)]
    picture = draw(DomainFields.model_validate({"intents": made}))
    assert picture.count("-->") == MOST_ARROWS
    assert "%% 52 arrows more are not drawn" in picture
