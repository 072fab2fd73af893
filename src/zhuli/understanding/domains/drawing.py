"""A picture of a domain in Mermaid: topics, the forms that they open, and what is done; rules with their conditions. Pure."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from zhuli.types.understanding.domain import (
    Action,
    Answer,
    Call,
    Clarify,
    DomainFields,
    Form,
    HandOver,
    Intent,
    Leave,
    Open,
    Respond,
    Rule,
    Search,
    Talk,
    When,
)

MOST_ARROWS = 400
"""Mermaid draws 500 unless it is told otherwise."""

_ESCAPED = str.maketrans({'"': "#quot;", "#": "#35;", "<": "#lt;", ">": "#gt;", "`": "#96;", "\\": "#92;", "\n": " "})

_CLASSES = """\
  classDef topic fill:#e8f0fe,stroke:#3367d6,color:#111
  classDef form fill:#fef7e0,stroke:#b06000,color:#111
  classDef act fill:#e6f4ea,stroke:#137333,color:#111"""


def draw(domain: DomainFields) -> str:
    """A flowchart that GitHub and editors show. Of more than MOST_ARROWS arrows those behind are counted, not drawn."""
    picture = _Picture()
    _topics(domain, picture)
    for form in domain.forms:
        _form(form, picture)
    for rule in domain.rules:
        _rule(rule, picture)
    unclear = {"out of scope": domain.fallback.out_of_scope, "unclear": domain.fallback.unclear}
    for name, action in unclear.items():
        picture.arrow(picture.node("topic", name), picture.act(action))
    return picture.text()


class _Picture:
    def __init__(self) -> None:
        self._nodes: dict[tuple[str, str], str] = {}
        self._drawn: list[str] = []
        self._arrows: dict[str, None] = {}

    def node(self, kind: str, name: str, label: str | None = None) -> str:
        """The node's own name in the picture; drawn once."""
        key = (kind, name)
        if key not in self._nodes:
            self._nodes[key] = f"{kind[0]}{len(self._nodes)}"
            opened, closed = {"topic": ("([", "])"), "form": ("[/", "/]")}.get(kind, ("[", "]"))
            text = "<br/>".join(_shown(line) for line in (label or name).split("\n"))
            self._drawn.append(f'  {self._nodes[key]}{opened}"{text}"{closed}:::{kind}')
        return self._nodes[key]

    def arrow(self, start: str, end: str, words: str = "") -> None:
        label = f'-- "{_shown(words)}" -->' if words else "-->"
        self._arrows[f"  {start} {label} {end}"] = None

    def act(self, action: Action | None) -> str:
        return self.node("act", _done(action))

    def text(self) -> str:
        arrows = list(self._arrows)
        left = len(arrows) - MOST_ARROWS
        more = [f"  %% {left} arrows more are not drawn"] if left > 0 else []
        return "\n".join(["flowchart LR", *self._drawn, *arrows[:MOST_ARROWS], *more, _CLASSES, ""])


def _topics(domain: DomainFields, picture: _Picture) -> None:
    """Intents; those of one group that each have an answer of their own (`faq/…`) are one topic."""
    groups = groupby(sorted(domain.intents, key=_group), key=_group)
    of = {name: list(intents) for name, intents in groups}
    for name in dict.fromkeys(map(_group, domain.intents)):
        intents = of[name]
        if len(intents) > 1 and all(one.action is not None and one.action.type == "respond" for one in intents):
            topic = picture.node("topic", name, f"{name}/…\n{len(intents)} questions")
            picture.arrow(topic, picture.node("act", f"{name} answers", "says the answer of each"))
            continue
        for intent in intents:
            _topic(intent, picture)


def _topic(intent: Intent, picture: _Picture) -> None:
    label = f"{intent.name}\n({intent.act})" if intent.act else None
    topic = picture.node("topic", intent.name, label)
    if intent.form is not None:
        picture.arrow(topic, picture.node("form", intent.form))
    elif intent.action is not None:
        picture.arrow(topic, picture.act(intent.action))
    elif intent.act is None:
        picture.arrow(topic, picture.act(None))


def _group(intent: Intent) -> str:
    return intent.name.partition("/")[0]


def _form(form: Form, picture: _Picture) -> None:
    slots = [*form.slots, *(f"{name}?" for name in form.optional)]
    asked = " · ".join(slots)
    node = picture.node("form", form.name)
    questions = picture.node("form", f"{form.name} slots", asked)
    picture.arrow(node, questions, "asks")
    picture.arrow(questions, picture.act(form.action), "confirmed" if form.confirm else "complete")


def _rule(rule: Rule, picture: _Picture) -> None:
    words = _condition(rule.when)
    starts = [picture.node("topic", name) for name in rule.when.intents]
    if rule.when.done is not None:
        starts = [picture.node("form", f"{rule.when.done} slots", rule.when.done)]
    for end in _ends(rule, picture):
        for start in starts:
            picture.arrow(start, end, words)


def _ends(rule: Rule, picture: _Picture) -> Iterator[str]:
    """A form that is opened, and one node for all else that is done."""
    acts = [step for step in rule.do if not isinstance(step, Open | Answer)]
    if acts:
        yield picture.node("act", "\n".join(map(_done, acts)))
    for step in rule.do:
        if isinstance(step, Open):
            yield picture.node("form", step.form)


def _condition(when: When) -> str:
    parts = [
        f"in {when.form}" if when.form else "",
        f"asked {when.asked}" if when.asked else "",
        f"after {', '.join(when.after)}" if when.after else "",
        *(f"{name}: {'none' if value is None else value}" for name, value in {**when.slots, **when.entities}.items()),
        *(f"{name} known" for name in _both(when.known, when.mentioned)),
    ]
    return "; ".join(part for part in parts if part)[:120]


def _both(one: Iterable[str], other: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*one, *other]))


def _done(action: Action | Leave | None) -> str:
    match action:
        case Respond():
            return f"says {action.response}"
        case Call():
            return f"calls {action.function}"
        case Search():
            return "searches, and the model answers"
        case HandOver():
            return "hands over to a person"
        case Clarify():
            return "asks which was meant"
        case Leave():
            return "leaves the form"
        case Talk() | None:
            return "the model answers"


def _shown(words: str) -> str:
    """As Mermaid takes it within quotes."""
    return words.translate(_ESCAPED)
