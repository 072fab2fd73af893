"""Conversation tests in files: our own (`conversations:`), and stories of Rasa's with what users say (`stories:`)."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from zhuli.core.errors import InvalidRequest
from zhuli.types.refusals import refusal_of
from zhuli.types.understanding.domain import DomainFields
from zhuli.types.understanding.domain_test import ConversationTest, Expectation, TestTurn
from zhuli.understanding.domains.imports.notes import clean
from zhuli.understanding.domains.rasa.conditions import TWO_STAGE
from zhuli.understanding.domains.rasa.stories import BUILT_IN, DEACTIVATE
from zhuli.understanding.domains.rasa.yaml_files import text_of
from zhuli.understanding.domains.yaml.tree import Node, data_of, tree_of
from zhuli.understanding.language.marked_examples import BadMark, read_marks


def read_tests(files: Mapping[str, str], domain: DomainFields) -> list[ConversationTest]:
    """Of all files that have tests; InvalidRequest names the file of what is wrong."""
    found: list[ConversationTest] = []
    for name, text in files.items():
        try:
            root = tree_of(text)
        except InvalidRequest as error:
            raise InvalidRequest(f"{name}: {error.message}", param=f"files.{name}", code=error.code) from error
        for node in _items(root, "conversations"):
            found.append(_own(name, node))
        stories = [_story(node, {form.name for form in domain.forms}) for node in _items(root, "stories")]
        found += [test for test in stories if test is not None]
    return found


def now_of(files: Mapping[str, str]) -> str | None:
    """When it is in the first file that says so."""
    for text in files.values():
        said = text_of(tree_of(text).fields.get("now"))
        if said is not None:
            return said
    return None


def _items(root: Node, key: str) -> Sequence[Node]:
    return root.fields[key].items if key in root.fields else ()


def _own(file: str, node: Node) -> ConversationTest:
    """Fields that say how a test is run elsewhere, such as the language, are none of ours."""
    data = data_of(node)
    known = (
        {key: data[key] for key in ("name", "turns", "corrected") if key in data} if isinstance(data, dict) else data
    )
    try:
        return ConversationTest.model_validate(known)
    except ValidationError as error:
        said = refusal_of(error)
        where = f"{file}: Line {node.line}: "
        raise InvalidRequest(f"{where}{said.message}", param=f"files.{file}", code=said.code) from error


class _Turn:
    """One that is being read: what it expects, up to the next thing that the user says."""

    def __init__(self, user: str, intent: str | None) -> None:
        self.user, self.intent = user, intent
        self.does: list[str] = []
        self.then: list[str] = []
        self.completes: str | None = None
        self.given: dict[str, Any] = {}
        self.given_then: dict[str, Any] = {}

    def made(self, form: str | None) -> TestTurn:
        """form: that is open behind it."""
        does = self.does or ([form] if form and self.completes is None else [])
        does = does or ([self.completes] if self.completes else [])
        return TestTurn(
            user=self.user,
            expect=Expectation(does=does or None),
            given=self.given,
            completes=self.completes,
            then=self.then,
            given_then=self.given_then,
            meant=self.intent,
            open=form,
        )


def _story(story: Node, forms: Collection[str]) -> ConversationTest | None:
    steps = story.fields.get("steps")
    turns: list[TestTurn] = []
    turn: _Turn | None = None
    form: str | None = None
    last: str | None = None
    for step in steps.items if steps else []:
        fields = step.fields
        if "user" in fields or "intent" in fields:
            turns += [turn.made(form)] if turn else []
            turn, last = _Turn(_said(step), text_of(fields.get("intent"))), None
        elif turn is None:
            continue
        elif "slot_was_set" in fields:
            values = _slots(fields["slot_was_set"])
            if turn.then:
                turn.given_then |= values
            else:
                turn.given |= values
        elif "action" in fields and (name := text_of(fields["action"])):
            last = clean(name)
            if last in forms:
                form = last
            if last not in BUILT_IN and last != DEACTIVATE:
                done = turn.then if turn.completes else turn.does
                done.append("clarify" if last == TWO_STAGE else last)
        elif "active_loop" in fields:
            name = text_of(fields["active_loop"])
            if name is None and form is not None and last != DEACTIVATE and turn.completes is None:
                turn.completes = form
            form = clean(name) if name is not None and clean(name) in forms else None
    turns += [turn.made(form)] if turn else []
    name = text_of(story.fields.get("story")) or f"line {story.line}"
    return ConversationTest(name=name, turns=turns, corrected=True) if turns else None


def _said(step: Node) -> str:
    """What the user says, without marks; or the payload of the intent, where only that is written."""
    text = text_of(step.fields.get("user"))
    if text is not None:
        try:
            return read_marks(text.strip()).text
        except BadMark:
            return text.strip()
    intent = clean(text_of(step.fields.get("intent")) or "")
    entities: dict[str, Any] = {}
    given = step.fields.get("entities")
    for item in given.items if given else []:
        entities |= {clean(key): data_of(child) for key, child in item.fields.items()}
    return f"/{intent}{json.dumps(entities, ensure_ascii=False) if entities else ''}"


def _slots(node: Node) -> dict[str, Any]:
    found = {key: data_of(child) for key, child in node.fields.items()}
    for item in node.items:
        found |= {key: data_of(child) for key, child in item.fields.items()}
    return {clean(name): value for name, value in found.items() if name != "requested_slot"}
