"""Rasa 1.x's NLU data, stories and responses in Markdown as the tree that its YAML would be, line for line."""

import json
import re

from zhuli.understanding.domains.yaml.tree import Node

_SECTION = re.compile(r"^##\s*(intent|synonym|regex|lookup)\s*:\s*(.+?)\s*$")
_HEADING = re.compile(r"^##\s+(.+?)\s*$")
_INTENT = re.compile(r"^\*\s*(.+?)\s*$")
_ITEM = re.compile(r"^\s*[-+*]\s+(.*?)\s*$")
_SAID = re.compile(r"^([^{:\s]+)\s*(\{.*\})?\s*(?::.*)?$")
_CHECKPOINT = re.compile(r"^>\s*(\S+)")


_OURS = re.compile(r"^##\s*(?:intent|synonym|regex|lookup)\s*:|^\s+-\s+(?:utter_|action_|slot\{|form\{)", re.MULTILINE)
_ANSWERED = re.compile(r"^\*\s*(\w+/[^\s{]+)\s*$")


def tree(text: str) -> Node:
    """`nlu`, `stories` and `responses`, as far as the file has them; a tree without anything for a README."""
    answers = _answers(text)
    if not _OURS.search(text) and not answers:
        return Node(1, {})
    lines = list(enumerate(re.sub(r"<!--.*?-->", _blank, text, flags=re.DOTALL).splitlines(), start=1))
    nlu, stories = _nlu(lines), [] if answers else _stories(lines)
    fields = {key: Node(1, items) for key, items in (("nlu", nlu), ("stories", stories)) if items}
    return Node(1, {**fields, **({"responses": Node(1, answers)} if answers else {})})


def _answers(text: str) -> dict[str, Node]:
    """What follows `* faq/prices`, where a file has nothing but such intents, are answers of a retrieval intent."""
    intents = [line for line in text.splitlines() if _INTENT.match(line)]
    if not intents or not all(_ANSWERED.match(line) for line in intents):
        return {}
    found: dict[str, Node] = {}
    texts: list[Node] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if said := _ANSWERED.match(line):
            texts = []
            found[f"utter_{said.group(1)}"] = Node(number, texts)
        elif found and line[:1].isspace() and (item := _ITEM.match(line)):
            texts.append(Node(number, {"text": Node(number, item.group(1))}))
    return found


def _blank(comment: re.Match[str]) -> str:
    """Its lines stay, so that those behind it keep their numbers."""
    return "\n" * comment.group().count("\n")


def _nlu(lines: list[tuple[int, str]]) -> list[Node]:
    sections: list[Node] = []
    examples: list[Node] = []
    inside = False
    for number, line in lines:
        if section := _SECTION.match(line):
            examples, inside = [], True
            name = Node(number, section.group(2))
            sections.append(Node(number, {section.group(1): name, "examples": Node(number, examples)}))
        elif _HEADING.match(line):
            inside = False
        elif inside and (item := _ITEM.match(line)) and item.group(1):
            examples.append(Node(number, item.group(1)))
    return sections


def _stories(lines: list[tuple[int, str]]) -> list[Node]:
    stories: list[Node] = []
    steps: list[Node] = []
    inside = False
    for number, line in lines:
        if heading := _HEADING.match(line):
            inside = _SECTION.match(line) is None
            if inside:
                steps = []
                stories.append(Node(number, {"story": Node(number, heading.group(1)), "steps": Node(number, steps)}))
        elif not inside:
            continue
        elif checkpoint := _CHECKPOINT.match(line):
            steps.append(Node(number, {"checkpoint": Node(number, checkpoint.group(1))}))
        elif said := _INTENT.match(line):
            either = [_intent(number, one) for one in re.split(r"\s+OR\s+", said.group(1))]
            steps.append(either[0] if len(either) == 1 else Node(number, {"or": Node(number, either)}))
        elif item := _ITEM.match(line):
            steps.append(_event(number, item.group(1)))
    return [story for story in stories if story.fields["steps"].items]


def _intent(number: int, said: str) -> Node:
    """`greet{"name": "Ann"}`, with or without what was said behind a colon."""
    found = _SAID.match(said)
    if found is None:
        return Node(number, {"user": Node(number, said)})
    entities = [Node(number, {key: child}) for key, child in _json(number, found.group(2)).items()]
    return Node(number, {"intent": Node(number, found.group(1)), "entities": Node(number, entities)})


def _event(number: int, said: str) -> Node:
    found = _SAID.match(said)
    name, given = (found.group(1), _json(number, found.group(2))) if found else (said, {})
    if name == "slot":
        return Node(number, {"slot_was_set": Node(number, [Node(number, given)])})
    if name == "form":
        return Node(number, {"active_loop": given.get("name", Node(number, "null", plain=True))})
    return Node(number, {"action": Node(number, name)})


def _json(number: int, text: str | None) -> dict[str, Node]:
    """Members that are no containers."""
    try:
        read = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    found = read.items() if isinstance(read, dict) else ()
    return {key: _scalar(number, value) for key, value in found if not isinstance(value, dict | list)}


def _scalar(number: int, value: object) -> Node:
    return Node(number, value) if isinstance(value, str) else Node(number, json.dumps(value), plain=True)
