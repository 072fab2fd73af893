"""From accepted proposals to what is published: a domain, a knowledge file, examples for the reply model. Pure.

A domain of a desk answers each intent by its template, or by a form that asks for what is missing first; searches for what
articles may answer; and hands over what is none of these.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from zhuli.types.applications.support import Desk, Proposal, SuggestedAnswer
from zhuli.types.understanding.domain import (
    Action,
    Call,
    Clarify,
    Domain,
    DomainFields,
    Entity,
    EntityKind,
    Fallback,
    Form,
    FromEntity,
    FromText,
    HandOver,
    Intent,
    Mapping,
    Respond,
    Search,
    Slot,
    UnderstanderSettings,
)
from zhuli.types.understanding.understanding import Understanding

DESK: Final = "support_desk"
"""The key of a domain's metadata that says whose it is."""

HANDOFF: Final = "handoff"
"""The client's function that takes a matter to a person."""

HANDOFF_ANSWER: Final = "handoff_answer"
"""What is said with its output: the person's answer."""

PERSON: Final = "person"
KNOWLEDGE: Final = "knowledge"

_PERSONS: Final = {
    "en": (
        "let me talk to a person", "I want to speak to an agent", "connect me to a human please", "can I talk to somebody real",
        "I need customer service", "is there a real person", "transfer me to a representative", "I want to talk to your manager",
    ),
    "zh": ("转人工", "我要找人工客服", "找真人", "让你们经理来", "帮我接人工服务", "我想和客服说话"),
}  # fmt: skip
_OUTSIDE: Final = {
    "en": (
        "what is the meaning of life",
        "who won the football match",
        "tell me a joke about cats",
        "what is the capital of Peru",
    ),
    "zh": ("人生的意义是什么", "昨天的球赛谁赢了", "给我讲个笑话", "秘鲁的首都是哪里"),
}
_KINDS: Final[dict[str, EntityKind]] = {
    "number": "number",
    "date": "date",
    "time": "time",
    "email": "email",
    "phone": "phone",
    "money": "money",
}
MOST_ARTICLE_TITLES = 2_000
MOST_ORDERED = 5_000
SUGGESTED = 3


def accepted(proposals: Sequence[Proposal], kind: str) -> list[Proposal]:
    """What was accepted of this kind."""
    return [one for one in proposals if one.kind == kind and one.status == "accepted"]


@dataclass
class Order:
    """Which intents came behind which in dialogues, as the understander `in_context` counts them."""

    often: Counter[str] = field(default_factory=Counter)
    follows: Counter[tuple[str, str]] = field(default_factory=Counter)

    def settings(self) -> dict[str, Any]:
        """The understander's, with the commonest MOST_ORDERED orders."""
        follows: dict[str, dict[str, int]] = {}
        for (before, name), count in self.follows.most_common(MOST_ORDERED):
            follows.setdefault(before, {})[name] = count
        return {"often": dict(self.often), "follows": follows}


class Ordering:
    """Counts the order of matters in dialogues: each is of the intent that has its label, or its question as an example."""

    def __init__(self, proposals: Sequence[Proposal]) -> None:
        intents = accepted(proposals, "intent")
        self._by_label = {label: one.name for one in intents for label in one.content.labels}
        self._by_text = {_unmarked(text).strip(): one.name for one in intents for text in one.content.examples}
        self.order = Order()

    def count(self, pairs: Sequence[dict[str, Any]]) -> None:
        """The matters of a dialogue, in their order. Behind one of no intent, nothing is counted."""
        before: str | None = ""
        for one in pairs:
            name = self._by_label.get(one.get("label") or "") or self._by_text.get(
                _unmarked(one["question"]).strip()[:2_000]
            )
            if name is not None:
                self.order.often[name] += 1
                if before is not None:
                    self.order.follows[before, name] += 1
            before = name


def domain_of(desk: Desk, proposals: Sequence[Proposal], order: Order | None = None) -> DomainFields:
    """The domain of all that was accepted. An intent without an accepted answer hands over, as do those about nothing known."""
    answers = {one.name: one for one in accepted(proposals, "answer")}
    slots = {one.name: one for one in accepted(proposals, "slot")}
    articles = accepted(proposals, "article")
    intents, forms, used = list[Intent](), list[Form](), set[str]()
    for one in accepted(proposals, "intent"):
        action = _action(answers, one)
        needed = [name for name in one.content.slots if name in slots]
        if needed and action.type == "respond":
            used.update(needed)
            forms.append(Form(name=f"form_{one.name}"[:128], slots=needed, action=action))
            intents.append(_intent(one, form=f"form_{one.name}"[:128]))
        else:
            intents.append(_intent(one, action=action))
    if articles:
        titles = [one.content.title for one in articles if one.content.title][:MOST_ARTICLE_TITLES]
        intents.append(
            Intent(name=KNOWLEDGE, examples=[_unmarked(title) for title in titles], action=Search(type="search"))
        )
    persons = [text for language in desk.languages for text in _PERSONS[language]]
    call = Call(type="call", function=HANDOFF, response=HANDOFF_ANSWER)
    intents.append(Intent(name=PERSON, examples=persons, act="handover", action=call))
    return DomainFields(
        name=desk.name[:256],
        languages=desk.languages,
        timezone=desk.hours.timezone if desk.hours else "UTC",
        understander=UnderstanderSettings.model_validate(
            {"type": "in_context", "embedder": desk.embedder, **(order or Order()).settings()}
        ),
        intents=intents,
        out_of_scope=[text for language in desk.languages for text in _OUTSIDE[language]],
        entities=[Entity(name=name, kind=kind) for name in sorted(used) if (kind := _kind(slots[name])) is not None],
        slots=[_slot(slots[name]) for name in sorted(used)],
        forms=forms,
        responses={
            **{name: one.content.text or "" for name, one in answers.items()},
            HANDOFF_ANSWER: "{result.answer}",
        },
        fallback=Fallback(
            threshold=desk.operating_point,
            out_of_scope=HandOver(type="hand_over"),
            unclear=Clarify(type="clarify"),
        ),
        metadata={DESK: desk.id},
    )


def _action(answers: dict[str, Proposal], intent: Proposal) -> Action:
    name = intent.content.answer
    return (
        Respond(type="respond", response=name) if name in answers and name is not None else HandOver(type="hand_over")
    )


def _intent(one: Proposal, **does: Any) -> Intent:
    return Intent(name=one.name, examples=[_unmarked(text) for text in one.content.examples], **does)


def _unmarked(text: str) -> str:
    """Brackets would be read as marks of entities."""
    return text.replace("[", "").replace("]", "")


def _kind(slot: Proposal) -> EntityKind | None:
    return _KINDS.get(slot.content.type or "text")


def _slot(one: Proposal) -> Slot:
    kind = _kind(one)
    mappings: list[Mapping] = [FromText(type="text")] if kind is None else [FromEntity(type="entity", entity=one.name)]
    return Slot(
        name=one.name,
        type=kind if kind in ("number", "date", "time") else "text",
        prompt=one.content.prompt,
        mappings=mappings,
        keep=True,
    )


def knowledge_file(proposals: Sequence[Proposal]) -> str:
    """Articles and templates as Markdown, a section each; empty where nothing was accepted."""
    sections = [f"# {one.content.title or one.name}\n\n{one.content.text}" for one in accepted(proposals, "article")]
    asked = {one.content.answer: one for one in accepted(proposals, "intent") if one.content.answer}
    for one in accepted(proposals, "answer"):
        question = asked[one.name].content.examples[0] if one.name in asked else one.name
        sections.append(f"# {question}\n\n{one.content.text}")
    return "\n\n".join(sections)


def reply_examples(proposals: Sequence[Proposal]) -> list[dict[str, Any]]:
    """What the reply model may learn: each accepted question with its accepted answer, as a dialogue."""
    answers = {one.name: one.content.text for one in accepted(proposals, "answer")}
    found = [
        (text, answers[one.content.answer])
        for one in accepted(proposals, "intent")
        if one.content.answer in answers
        for text in one.content.examples
    ]
    found += [
        (one.content.title, one.content.text)
        for one in accepted(proposals, "article")
        if one.content.title and one.content.text
    ]
    return [
        {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}
        for question, answer in found
    ]


def suggestions(domain: Domain, made: Understanding) -> list[SuggestedAnswer]:
    """The likeliest intents' answers, for a person to choose from; certainty as it was understood."""
    of_intent = answers_of(domain)
    found: list[SuggestedAnswer] = []
    for score in made.ranking:
        name = of_intent.get(score.name)
        if name is None:
            continue
        wording = domain.responses[name]
        text = wording if isinstance(wording, str) else next(iter(wording.values()))
        found.append(SuggestedAnswer(name=name, text=text, certainty=round(score.confidence, 4)))
        if len(found) == SUGGESTED:
            break
    return found


def answers_of(domain: Domain) -> dict[str, str]:
    """The response that each intent leads to, at once or by its form; without intents that lead to none."""
    forms: dict[str, Action | None] = {one.name: one.action for one in domain.forms}
    found: dict[str, str] = {}
    for intent in domain.intents:
        action = forms.get(intent.form or "", intent.action)
        if action is not None and action.type == "respond" and action.response in domain.responses:
            found[intent.name] = action.response
    return found
