"""Small talk: what a message does beside any wish, and which of its acts is to be answered. And wishes that are taken back.

An answer that fits what was asked, and an intent of the domain that is surer, go before it.
"""

import re
from collections.abc import Sequence
from typing import Final, Literal, get_args

from zhuli.types.understanding.domain import OUT_OF_SCOPE, Act, FromEntity, Intent, SmallTalk
from zhuli.types.understanding.understanding import ActsRead, EntityFound, Reading
from zhuli.understanding.dialogue.forms_and_slots import form_named, intent_named, open_slots, slots_of
from zhuli.understanding.dialogue.slot_mappings import mappings_of, takes_text
from zhuli.understanding.dialogue.utterance.answers import asks, cancelling, only_says, unsaid_words
from zhuli.understanding.dialogue.utterance.intent_decision import IntentDecision
from zhuli.understanding.dialogue.utterance.multi_intent import ClauseIntent, leads_away
from zhuli.understanding.dialogue.utterance.stakes import talk_in, talk_of
from zhuli.understanding.dialogue.utterance.utterance_context import UtteranceContext, loose_values
from zhuli.understanding.language.acts.dialogue_acts import looks_up, only_thanks
from zhuli.understanding.language.plain_text import plain

_TO_A_QUESTION: Final = frozenset(("dont_know", "any", "why", "told"))
"""Said to a question; without one they are about something else."""

_ABOUT_A_TEXT: Final = frozenset(("thank", "greet", "bye", "small_talk", "identity"))
"""Any text may be the answer where a text was asked for, and these mostly are."""

SURELY: Final = 0.85
"""An intent of the domain that is as likely goes before small talk, however sure that is."""

_ABOUT_ANYTHING: Final = frozenset(("help", "small_talk"))
"""Near to what is out of scope, for which a domain may have words of its own."""

_POLITE: Final = frozenset(("bye", "thank", "greet"))
"""Said beside others, it is the others that are answered: who greets and asks for help wants help."""

_DENYING: Final = re.compile(
    r"(?:please |sorry,? |no,? |just )*(?:do not|don'?t|no need to|needn'?t|need not)\b(?! (?:you|we|know|mind|forget|worry)\b)"
    "|(?:请|先|那|就|麻烦|暂时)*(?:别(?![的人墅处])|不用|不必|无需)"
)
"""How a message, or a part of it, begins that says what is not to be done."""

_PARTS: Final = re.compile(r"[,.;!?]")

Talk = SmallTalk | Literal["off_topic"]
"""off_topic: about the world; what is done then is the domain's fallback for what is out of scope."""

_TALKS: Final[tuple[Talk, ...]] = (*(name for name in get_args(SmallTalk) if name != "declined"), "off_topic")


def small_talk_in(
    context: UtteranceContext, whole: Reading, clauses: Sequence[ClauseIntent], entities: Sequence[EntityFound]
) -> Talk | None:
    """What is to be answered, where the message is nothing else."""
    acts = whole.acts
    if acts is not None and context.asked is not None and looks_up(context.text):
        return "wait"
    if acts is None or fits(context, entities) or tells(context, entities):
        return None
    said: list[Talk] = [name for name in _TALKS if name in acts.said and _may_be(context, name)]
    likeliest = intent_named(context.domain, whole.ranking[0].name) if whole.ranking else None
    explained = whole.in_scope >= SURELY and not cancelling(context.text)
    refusing = likeliest is not None and (explained or _is_refusal(likeliest))
    if "cancel" in acts.said and context.state.form is None and not context.state.handed_over and not refusing:
        said.append("declined")
    if only_thanks(context.text) and context.slot is None:
        return "thank" if not any(_wants(one) and one.decision.score >= SURELY for one in clauses) else None
    if "identity" not in said and talk_in(context.text) == "identity":
        said.append("identity")
    if not said:
        return None
    surest = max(_sure(acts, name) for name in said)
    wanted = [one.intent for one in clauses if _wants(one)]
    if any(_wants(one) and max(one.decision.score, whole.in_scope) >= min(surest, SURELY) for one in clauses):
        return None
    if any(_wants(one) and _is_backed(context, one, entities) for one in clauses):
        return None
    if any(intent and (talk_of(intent) in said or (intent.form and set(said) <= _POLITE)) for intent in wanted):
        return None
    talk = max(said, key=lambda name: (name not in _POLITE, _sure(acts, name)))
    own_words = context.domain.fallback.out_of_scope.type != "talk" and talk in _ABOUT_ANYTHING
    return None if own_words and _sure(acts, talk) < SURELY else talk


def _sure(acts: ActsRead, name: Talk) -> float:
    return acts.of("cancel" if name == "declined" else name)


def _may_be(context: UtteranceContext, name: str) -> bool:
    if name in _TO_A_QUESTION:
        return context.asked is not None
    slot = context.slot
    if name == "off_topic" and slot is not None and takes_text(context.domain, slot):
        return asks(context.text)  # what is told may be about anything
    return slot is None or name not in _ABOUT_A_TEXT or not takes_text(context.domain, slot)


def _wants(clause: ClauseIntent) -> bool:
    return clause.intent is not None and not clause.informs


def _is_backed(context: UtteranceContext, clause: ClauseIntent, entities: Sequence[EntityFound]) -> bool:
    """Whether two values, or one of the domain's own, are for the intent's form: who tells why comes for a table all the same."""
    form = form_named(context.domain, clause.intent.form) if clause.intent else None
    slots = slots_of(context.domain, form)
    wanted = {one.entity for slot in slots for one in mappings_of(context.domain, slot) if isinstance(one, FromEntity)}
    found = [one for one in entities if one.entity in wanted and not one.negated and one.source != "learned"]
    return len({one.entity for one in found}) > 1 or any(one.source in ("lookup", "regex") for one in found)


def fits(context: UtteranceContext, entities: Sequence[EntityFound]) -> bool:
    """Whether something found by rule could answer what was asked: "I don't know, 5 perhaps"."""
    return context.slot is not None and (bool(loose_values(context)) or _by_rule(context, entities))


def tells(context: UtteranceContext, entities: Sequence[EntityFound]) -> bool:
    """Whether it has a value for the open form, by rule and more than a bare number: "wait, at two in the afternoon"."""
    slots = open_slots(context.domain, context.state)
    wanted = {one.entity for slot in slots for one in mappings_of(context.domain, slot) if isinstance(one, FromEntity)}
    found = (one for one in entities if one.entity in wanted and not one.negated)
    return any(one.source not in ("learned", "number", "role") for one in found)


def _by_rule(context: UtteranceContext, entities: Sequence[EntityFound]) -> bool:
    assert context.slot is not None
    wanted = {one.entity for one in mappings_of(context.domain, context.slot) if isinstance(one, FromEntity)}
    return any(one.entity in wanted and one.source != "learned" and not one.negated for one in entities)


def without_declined(
    context: UtteranceContext, acts: ActsRead | None, clauses: Sequence[ClauseIntent]
) -> tuple[list[ClauseIntent], bool]:
    """The clauses without the wishes that the user does not have ("please don't block my card"), and whether there were any."""
    denying = any(_DENYING.match(part.strip()) for part in _PARTS.split(plain(context.text)))
    if acts is None or len(clauses) > 1 or not ("cancel" in acts.said or denying):
        return list(clauses), False
    [one] = clauses
    other = one.intent is not None and not one.informs and one.intent.form != (context.state.form or "")
    if not other or one.intent is None or not leads_away(one.intent) or _is_refusal(one.intent):
        return list(clauses), False
    if one.decision.score >= SURELY and not cancelling(context.text):
        return list(clauses), False
    if not _denied_there(context.text, one.intent):
        return list(clauses), False
    return [silent(one, len(context.text))], True


def _denied_there(text: str, intent: Intent) -> bool:
    """Whether the part of the message that is most like the intent has the denial; in 不等了，把钱退我 it has not."""
    parts = [part for part in _PARTS.split(plain(text)) if part.strip()]
    known = set[str]().union(*(_telling(plain(shown)) for shown in (intent.name, *intent.examples)))
    shares = [len(_telling(part) & known) for part in parts]
    likest = max(zip(shares, parts, strict=True), key=lambda one: (one[0], cancelling(one[1])), default=(0, ""))
    return likest[0] == 0 or cancelling(likest[1]) or not any(cancelling(part) for part in parts)


def _telling(read: str) -> set[str]:
    """The words of a plain text that say what it is about."""
    return unsaid_words(read, 0, len(read), ())


def takes_back(context: UtteranceContext, acts: ActsRead | None, act: Act | None) -> bool:
    """Whether a user who waits for a person wants none any more: a plain no, or that it is not wanted."""
    if not context.state.handed_over:
        return False
    return (
        act == "cancel" or (act == "deny" and only_says(context.text)) or (acts is not None and "cancel" in acts.said)
    )


def silent(one: ClauseIntent, end: int) -> ClauseIntent:
    """All of the message, with no intent and no answer in it."""
    decision = IntentDecision(OUT_OF_SCOPE, one.decision.score, one.decision.threshold)
    return ClauseIntent(0, end, decision, None, informs=False)


def _is_refusal(intent: Intent) -> bool:
    """Whether the intent itself is about cancelling or refusing something: "I want to cancel my order"."""
    texts = [intent.name, intent.description or "", *intent.examples]
    return intent.act is not None or sum(cancelling(text) for text in texts) * 4 >= len(texts)
