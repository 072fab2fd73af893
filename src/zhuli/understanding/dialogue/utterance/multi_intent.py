"""Multi-intent segmentation: what a message is about, clause by clause: an intent of its own, or an answer within the open form.

A message has one intent unless its clauses are decided to have different ones. Within an open form, what fills its slots is an
answer, however unlikely its intent: "tomorrow" alone is no intent that a domain could know.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from zhuli.types.understanding.domain import OUT_OF_SCOPE, Act, DomainFields, Form, FromEntity, FromIntent, Intent, Slot
from zhuli.types.understanding.understanding import DialogueState, EntityFound, Reading
from zhuli.understanding.dialogue.forms_and_slots import form_named, intent_named, open_slots, slots_of, waiting_slots
from zhuli.understanding.dialogue.responses.responses import held, spoken
from zhuli.understanding.dialogue.slot_mappings import mappings_of, takes_text
from zhuli.understanding.dialogue.utterance.answers import (
    Place,
    asks,
    introduces,
    is_bare,
    is_question,
    only_says,
    requests,
    unsaid_words,
)
from zhuli.understanding.dialogue.utterance.intent_decision import IntentDecision, decide_intent
from zhuli.understanding.dialogue.utterance.stakes import outward
from zhuli.understanding.language.acts.dialogue_acts import act_of, only_greets
from zhuli.understanding.language.plain_text import plain
from zhuli.understanding.language.tokens import tokens


def leads_away(intent: Intent) -> bool:
    """Whether it opens a form, calls a function or hands over."""
    return intent.form is not None or (intent.action is not None and intent.action.type in ("call", "hand_over"))


Clause = tuple[tuple[int, int], Reading]
"""[start, end) of a clause, and what the understander read there."""

_TELLING = frozenset(("lookup", "regex", "learned", "name"))
_JOINING = re.compile(r"(?:and|also|then|plus)\b|另外|还有|顺便|同时|然后|再|也", re.IGNORECASE)

_WISHING = re.compile(
    r"\b(?:i want|i need|i'?d (?:like|rather)|i would like|can you|could you|let me|please|cancel|stop)\b|"
    r"我要|我想|帮我|给我|不想|不要|取消|把.{1,6}(?:退|取消|改|换|给|送|转|撤)"
)
"""In an answer in the user's own words: without these it only tells something, whatever it is like."""

CERTAIN = 0.5
"""What a clause's intent must reach, beside the threshold, to stand for itself: half sentences are easily misread."""

SURELY, NEVER = 0.9, 0.01
"""A message is surely about one thing, and never about another, at these confidences."""

LIKELY = 0.6
"""What an intent must reach to be believed against two values that are for another."""

SURER = 0.7
"""What an intent must reach to count instead of an answer in the user's own words."""

DOUBT = 0.1
"""From here on a message may be about the rest of the world."""

BACKED_BY_ONE, BACKED_BY_MANY = 0.5, 0.25
"""Shares of the threshold that do where the message has a value, or several, for the form of the likeliest intent."""

MOST_WORDS = 6
"""Of an answer that is taken as it stands though no entity was found in it: names are short."""


@dataclass(frozen=True, slots=True)
class ClauseIntent:
    """Characters [start, end) of the message. intent: the one decided for, if any. informs: it answers in the open form."""

    start: int
    end: int
    decision: IntentDecision
    intent: Intent | None
    informs: bool


@dataclass(frozen=True, slots=True)
class IntentSegmenter:
    """What has to be known to tell an intent from an answer. values: all that was found in the message, for any slot.

    Places of what is no entity: loose: what looks like a value of the asked slot's type; referred: what points to earlier
    values; named: names of slots that may be changed. act, corrects: what its words say; answers: the open question, by them.
    """

    domain: DomainFields
    state: DialogueState
    text: str
    asked: Slot | None
    values: Sequence[EntityFound]
    loose: Sequence[Place] = ()
    referred: Sequence[Place] = ()
    named: Sequence[Place] = ()
    act: Act | None = None
    corrects: bool = False
    answers: bool = False

    def segment(self, whole: Reading, clauses: Sequence[Clause]) -> list[ClauseIntent]:
        """In the order of the message; one for all of it unless its clauses differ. Beside an intent, a greeting is none."""
        by_clause = [self._clause_intent(start, end, self._decided(reading)) for (start, end), reading in clauses]
        all_of_it = self._clause_intent(0, len(self.text), self._decided(whole))
        alone = sum(not only_greets(self.text[one.start : one.end]) for one in by_clause) == 1
        sure = [one for one in by_clause if one.informs or self._is_sure(one, all_of_it, alone=alone)]
        wanted = [one for one in sure if not only_greets(self.text[one.start : one.end])]
        greeted, sure = bool(wanted) and len(wanted) < len(sure), wanted or sure
        sure = [one for place, one in enumerate(sure) if not self._only_leads(sure, place, all_of_it, whole)]
        sure = [one for place, one in enumerate(sure) if not self._goes_on(sure[:place], one)]
        if len({one.intent.name if one.intent else None for one in sure}) > 1:
            return sure
        if greeted and all(one.intent != all_of_it.intent for one in sure):
            return sure
        lost = all_of_it.decision.intent == OUT_OF_SCOPE and not all_of_it.informs
        answered = any(one.informs and self._fed(self._given(one)) for one in sure)
        return sure if lost and answered else [all_of_it]

    def _decided(self, reading: Reading) -> IntentDecision:
        """Asking can be taken back: a form is opened by half of the threshold, if the message does nothing else by its acts."""
        decision = decide_intent(reading, self.domain.fallback)
        best = intent_named(self.domain, decision.best)
        if decision.intent != OUT_OF_SCOPE or best is None or best.form is None or self.state.form is not None:
            return decision
        score = 1.0 - decision.score
        likely = reading.ranking[0].confidence >= SURER and score * 2 >= decision.threshold
        if not likely or reading.acts is None or reading.acts.said or reading.acts.of("off_topic") >= DOUBT:
            return decision
        return IntentDecision(best.name, decision.threshold, decision.threshold, best=best.name)

    def _is_sure(self, one: ClauseIntent, whole: ClauseIntent, *, alone: bool) -> bool:
        """alone: the other clauses only greet, so that it is as good as the whole message.

        Half a sentence calls nobody for what it is about, unless the whole message does as well.
        """
        if one.intent is None or (one.decision.score < CERTAIN and not alone):
            return False
        calls = outward(one.intent) and one.intent.act is None and one.decision.score < SURELY
        if calls and not alone and whole.decision.best != one.intent.name and self.state.form is not None:
            return False
        if one.intent.act is not None:
            return True
        values = [(value.start, value.end) for value in self.values]
        bare = is_bare(self.text, one.start, one.end, _within(values, one.start, one.end), wordless=True)
        return not bare and not self._only_answers(one.start, one.end)

    def _goes_on(self, before: Sequence[ClauseIntent], one: ClauseIntent) -> bool:
        """Whether what looks like an answer rather tells more of an intent before it: "I need a taxi. To the Ritz"."""
        begun = next((clause.intent.form for clause in reversed(before) if clause.intent and not clause.informs), None)
        form = form_named(self.domain, begun)
        return one.informs and form is not None and self._takes(slots_of(self.domain, form), self._given(one))

    def _given(self, one: ClauseIntent) -> list[EntityFound]:
        return self._inside(one.start, one.end)

    def _only_leads(self, by_clause: Sequence[ClauseIntent], place: int, whole: ClauseIntent, reading: Reading) -> bool:
        """Whether it only leads to what the message surely is about: "these don't fit, I want my money back"."""
        one, confidences = by_clause[place], {score.name: score.confidence for score in reading.ranking}
        if one.informs or one.intent is None or whole.intent is None or whole.decision.score < SURELY:
            return False
        neighbours = [by_clause[at] for at in (place - 1, place + 1) if 0 <= at < len(by_clause)]
        by_comma = any(self._between(one, other) in (",", "，") for other in neighbours if other.intent == whole.intent)
        return by_comma and one.intent != whole.intent and confidences.get(one.intent.name, 0.0) < NEVER

    def _between(self, one: ClauseIntent, other: ClauseIntent) -> str:
        """What joins two clauses: marks and words before the second, or that it begins with."""
        first, second = sorted((one, other), key=lambda clause: clause.start)
        joint = _JOINING.match(self.text, second.start)
        return self.text[first.end : joint.end() if joint else second.start].strip()

    def _only_answers(self, start: int, end: int) -> bool:
        """Whether it is a plain yes or no: whatever it was read as, that is all it says."""
        said = self.text[start:end]
        return only_says(said) and act_of(said) in ("affirm", "deny")

    def _backed(self, start: int, end: int, decision: IntentDecision) -> IntentDecision:
        """The likeliest intent after all, where what was found in the text is what its form waits for.

        One of the values must be of the domain's own: a day and an hour are in messages about anything.
        """
        intent = intent_named(self.domain, decision.best)
        form = form_named(self.domain, intent.form) if intent else None
        if decision.intent != OUT_OF_SCOPE or intent is None or form is None or form.name == self.state.form:
            return decision
        values = [one for one in self._inside(start, end) if not one.negated]
        slots = slots_of(self.domain, form)
        own = [one for one in values if one.source in _TELLING and self._takes(slots, [one])]
        filled = [slot for slot in slots if self._takes([slot], values)]
        share = BACKED_BY_MANY if len(filled) > 1 else BACKED_BY_ONE
        score = 1.0 - decision.score
        if not own or score < share * decision.threshold:
            return decision
        return IntentDecision(intent.name, max(score, decision.threshold), decision.threshold, best=intent.name)

    def _by_values(self, start: int, end: int, decision: IntentDecision) -> IntentDecision:
        """The one intent whose form waits for what was found, where the likeliest has no use for it and is not certain.

        "Could you squeeze us in tomorrow, 6 of us?" is no question about opening hours. Two values for the same form do, or,
        where the message was unclear, one of the domain's own.
        """
        likeliest = intent_named(self.domain, decision.intent) if decision.known else None
        if likeliest is not None and (likeliest.act or decision.score >= SURELY):
            return decision
        if likeliest is not None and likeliest.form and self._has_use(likeliest, start, end):
            return decision
        sure = likeliest is not None and likeliest.form is not None and decision.score >= LIKELY
        values = [one for one in self._inside(start, end) if not one.negated]
        here = form_named(self.domain, self.state.form)
        if not values or asks(self.text[start:end]) or (here and self._takes(slots_of(self.domain, here), values)):
            return decision
        counts = {one.name: self._filled_by(one, values) for one in self.domain.intents if one.form}
        most = max(counts.values(), default=0)
        wanted = [name for name, count in counts.items() if count == most]
        form = (
            form_named(self.domain, next(one.form for one in self.domain.intents if one.name == wanted[0]))
            if wanted
            else None
        )
        own = any(one.source in _TELLING and self._takes(slots_of(self.domain, form), [one]) for one in values)
        needed = 3 if sure else 1 if own and likeliest is None else 2  # a complaint, too, names what was ordered
        if len(wanted) != 1 or most < needed:
            return decision
        if decision.unclear and not own and sum(name in counts for name in decision.candidates) > 1:
            return decision  # a day and an hour do not tell a table from a taxi
        outside = likeliest is None and not decision.unclear
        if outside and not (own and wanted[0] == decision.best) and not self._says_only(start, end, values):
            return decision
        score = max(decision.threshold, 1.0 - decision.score)
        return IntentDecision(wanted[0], score, decision.threshold, best=wanted[0])

    def _says_only(self, start: int, end: int, values: Sequence[EntityFound]) -> bool:
        """Whether it is values and nothing else, as who knows what is asked for says at once: "tonight at 7, two people"."""
        return is_bare(self.text, start, end, [(one.start, one.end) for one in values], wordless=True)

    def _has_use(self, intent: Intent, start: int, end: int) -> bool:
        """Whether its form takes one of the domain's own values, or there is none that only others take."""
        own = [one for one in self._inside(start, end) if not one.negated and one.source in _TELLING]
        return not own or self._takes(slots_of(self.domain, form_named(self.domain, intent.form)), own)

    def _filled_by(self, intent: Intent, values: Sequence[EntityFound]) -> int:
        """How many slots of the intent's form the values fill; a value fills one."""
        slots = slots_of(self.domain, form_named(self.domain, intent.form))
        taken: set[tuple[int, int]] = set()
        count = 0
        for slot in slots:
            one = next((v for v in values if (v.start, v.end) not in taken and self._takes([slot], [v])), None)
            if one is not None:
                taken.add((one.start, one.end))
                count += 1
        return count

    def _within_form(self, start: int, end: int, decision: IntentDecision) -> IntentDecision:
        """Who fills in a form is hardly after another one: that takes more certainty, a wish in words, or a value for it."""
        meant = [intent_named(self.domain, name) for name in (decision.candidates or (decision.intent,))]
        other = [one for one in meant if one and one.act is None and one.form != self.state.form and leads_away(one)]
        if self.state.form is None or len(other) < len(meant):
            return decision
        if decision.score >= CERTAIN or _WISHING.search(plain(self.text[start:end])):
            return decision
        values = [one for one in self._inside(start, end) if not one.negated]
        own = [slot for one in other for slot in slots_of(self.domain, form_named(self.domain, one.form))]
        if self._takes(own, values) and not any(self._feeds(one) for one in values):
            return decision
        return IntentDecision(OUT_OF_SCOPE, 1.0 - decision.score, decision.threshold, best=decision.best)

    def _clause_intent(self, start: int, end: int, decision: IntentDecision) -> ClauseIntent:
        decision = self._backed(start, end, self._by_values(start, end, decision))
        decision = self._within_form(start, end, decision)
        intent = intent_named(self.domain, decision.intent) if decision.known else None
        asked = self.state.asked is not None and self.state.form is not None
        if asked and (intent is None or not intent.act) and self._only_answers(start, end):
            return ClauseIntent(start, end, decision, None, informs=True)
        return ClauseIntent(start, end, decision, intent, self._informs(start, end, decision, intent))

    def _informs(self, start: int, end: int, decision: IntentDecision, intent: Intent | None) -> bool:
        """The rules, first the plainest: own intents, bare values, free text, values of the asked slot, corrections."""
        form = form_named(self.domain, self.state.form)
        if form is None:
            return False
        if intent is not None and self._belongs(intent, form):
            return True
        text, values = self.text[start:end], [one for one in self._inside(start, end) if self._feeds(one)]
        if self.answers and not is_question(text):
            return True
        places = [*((one.start, one.end) for one in values), *self.loose, *self.referred, *self.named]
        if is_bare(self.text, start, end, _within(places, start, end), wordless=decision.known):
            return True
        if self._in_own_words(text, decision):
            return True
        if intent is not None and not is_question(text) and self._only_by_answer(start, end, intent):
            return True
        if intent is not None and intent.form is not None:
            others = slots_of(self.domain, form_named(self.domain, intent.form))
            unsure = decision.score < SURER and not is_question(text)
            return (self.corrects or unsure) and bool(values) and not self._takes(others, values)
        if intent is not None and decision.score < SURER and not is_question(text) and self._says_more(values):
            return True
        if intent is not None and intent.form is None and not is_question(text) and self._fills_several(values):
            return True
        wants_to_know = asks(text) if intent is None or (self.corrects and requests(text)) else is_question(text)
        if not wants_to_know and (self._fed(values) or (values and (self.corrects or self.named))):
            return True
        if intent is not None:
            return intent.action is None and bool(values) and not is_question(text)
        own = self.state.topics[-1].intent
        if (decision.unclear and own in decision.candidates) or (
            decision.best == own and bool(values or self.referred)
        ):
            return True
        said = self.act is not None or self.corrects or self.named or bool(values) or bool(self.referred)
        return said and not is_question(text)

    def _only_by_answer(self, start: int, end: int, intent: Intent) -> bool:
        """Whether nothing but the value that answers the question speaks for the other intent: "ok savings first"."""
        inside = [one for one in self._inside(start, end) if not one.negated and one.source not in ("learned", "role")]
        if self.asked is None or intent.act or not self._takes([self.asked], inside) or self._others(intent, inside):
            return False
        said = plain(self.text)
        places = [(one.start, one.end) for one in inside]
        shown = (spoken(intent.name), intent.description or "", *intent.examples)
        return not (unsaid_words(said, start, end, places) & _words_of(shown))

    def _others(self, intent: Intent, values: Sequence[EntityFound]) -> bool:
        """Whether one of the values is for the intent's form alone."""
        slots = slots_of(self.domain, form_named(self.domain, intent.form))
        return any(self._takes(slots, [one]) and not self._feeds(one) for one in values)

    def _fills_several(self, values: Sequence[EntityFound]) -> bool:
        """Whether the values are for several slots of the open form."""
        said = [one for one in values if not one.negated]
        return sum(self._takes([slot], said) for slot in open_slots(self.domain, self.state)) > 1 < len(said)

    def _says_more(self, values: Sequence[EntityFound]) -> bool:
        """Whether a value is for the open form and more than a bare number: a price list is asked about with numbers, too."""
        return any(not one.negated and (one.source != "number" or self.corrects or self.named) for one in values)

    def _fed(self, values: Sequence[EntityFound]) -> bool:
        """Whether one of the values is for the asked slot, or for another that the form still misses."""
        slots = open_slots(self.domain, self.state)
        missing = [slot for slot in slots if slot == self.asked or held(self.state, slot.name) is None]
        return self._takes(missing, values)

    def _takes(self, slots: Sequence[Slot], values: Sequence[EntityFound]) -> bool:
        """Whether one of the values is for one of the slots."""
        maps = [mapping for slot in slots for mapping in mappings_of(self.domain, slot)]
        return any(isinstance(one, FromEntity) and one.entity == value.entity for one in maps for value in values)

    def _belongs(self, intent: Intent, form: Form) -> bool:
        """Whether the intent is the form's own, answers questions, or is what a slot of the form is mapped to."""
        if intent.act or intent.form == form.name or intent.name == self.state.topics[-1].intent:
            return True
        maps = ((slot, mapping) for slot in slots_of(self.domain, form) for mapping in slot.mappings)
        return any(
            isinstance(mapping, FromIntent)
            and intent.name in mapping.intents
            and (not mapping.asked or slot == self.asked)
            for slot, mapping in maps
        )

    def _in_own_words(self, text: str, decision: IntentDecision) -> bool:
        """Whether the text may be the answer to a question for a text, as it stands."""
        if self.asked is None or self.act in ("cancel", "handover"):
            return False
        if takes_text(self.domain, self.asked) and introduces(text):
            return True
        if takes_text(self.domain, self.asked):
            only = not any(isinstance(one, FromEntity) for one in mappings_of(self.domain, self.asked))
            surer = decision.score >= SURER and not (only and not _WISHING.search(plain(text)))
            return not asks(text) and not (decision.known and (surer or is_question(text)))
        return not decision.known and not decision.unclear and short_answer(self.domain, self.asked, text)

    def _feeds(self, value: EntityFound) -> bool:
        slots = [*open_slots(self.domain, self.state), *waiting_slots(self.domain, self.state)]
        return self._takes(slots, [value])

    def _inside(self, start: int, end: int) -> list[EntityFound]:
        return [one for one in self.values if start <= one.start and one.end <= end]


@lru_cache(maxsize=1024)
def _words_of(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(one.text for text in texts for one in tokens(plain(text)))


def _within(places: Sequence[Place], start: int, end: int) -> list[Place]:
    return [place for place in places if start <= place[0] and place[1] <= end]


def short_answer(domain: DomainFields, slot: Slot, text: str) -> bool:
    """Whether a text slot may take these words though nothing was found in them.

    It may where it waits for a learned entity, for learning can't know every name there is, and where a pattern says what fits.
    """
    learned = {entity.name for entity in domain.entities if entity.kind == "learned"}
    sources = [mapping for mapping in mappings_of(domain, slot) if isinstance(mapping, FromEntity)]
    checked = slot.validation is not None and slot.validation.pattern is not None
    if slot.type != "text" or not sources or not (checked or all(mapping.entity in learned for mapping in sources)):
        return False
    words = len(text.split()) if text.isascii() else len(text) / 3
    return words <= MOST_WORDS and not is_question(text) and not only_says(text)
