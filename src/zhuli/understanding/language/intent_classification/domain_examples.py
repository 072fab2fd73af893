"""What a domain shows of its intents and entities, for those that learn from it: texts without marks, and what was marked."""

from dataclasses import dataclass
from typing import Self

from zhuli.types.understanding.domain import DomainFields, Entity
from zhuli.understanding.language.intent_classification.classifier_report import IntentExample
from zhuli.understanding.language.marked_examples import Marked, read_marks
from zhuli.understanding.language.tagging.tagged_examples import Listed, TaggedExample, known_words, listed_values
from zhuli.understanding.language.tagging.tagger import said_values, tagged


@dataclass(frozen=True, slots=True)
class DomainExamples:
    """shown: all examples. marked: the same with their intent's name, and with the marks that a tagger learns: of learned
    entities, and of others whose roles are marked."""

    shown: list[IntentExample]
    marked: list[tuple[Marked, str]]

    @classmethod
    def of(cls, domain: DomainFields) -> Self:
        read = [
            (intent, number, read_marks(example))
            for intent, said in enumerate(domain.intents)
            for number, example in enumerate(said.examples)
            if example.strip()
        ]
        learnable = {entity.name for entity in domain.entities if entity.kind == "learned"}
        known = {entity.name for entity in domain.entities}
        learnable |= {mark.entity for _, _, marked in read for mark in marked.entities if mark.role} & known
        return cls(
            [IntentExample(marked.text, intent, number) for intent, number, marked in read],
            [
                (
                    Marked(marked.text, [mark for mark in marked.entities if mark.entity in learnable]),
                    domain.intents[intent].name,
                )
                for intent, _, marked in read
            ],
        )


@dataclass(frozen=True, slots=True)
class TaggerExamples:
    """Marked texts with their intents; values that are known, as words and as texts with what they mean; all known words."""

    examples: list[tuple[TaggedExample, str]]
    listed: Listed
    said: dict[str, dict[str, str]]
    words: frozenset[str]

    @classmethod
    def of(cls, examples: DomainExamples, domain: DomainFields) -> Self | None:
        """None where the domain shows no entity that is learned."""
        more = {entity.name: _values(entity) for entity in domain.entities if entity.kind == "learned"}
        if not any(marked.entities for marked, _ in examples.marked) and not any(more.values()):
            return None
        tagged_examples = [(tagged(marked), intent) for marked, intent in examples.marked]
        listed = listed_values(
            (example for example, _ in tagged_examples), {name: list(said) for name, said in more.items()}
        )
        said = said_values([marked for marked, _ in examples.marked], more)
        return cls(tagged_examples, listed, said, known_words((example for example, _ in tagged_examples), listed))


def _values(entity: Entity) -> dict[str, str]:
    """What may be said of it, and what is meant."""
    return {said: value.value for value in entity.values for said in (value.value, *value.synonyms)}
