"""What was said and misread becomes an example of what was meant: of that intent, and of no other. Pure."""

from collections.abc import Iterable, Sequence

from zhuli.core.errors import InvalidRequest
from zhuli.types.understanding.domain import OUT_OF_SCOPE, DomainFields, ExampleEntity
from zhuli.types.understanding.understanding import EntityFound
from zhuli.understanding.language.marked_examples import MARK, BadMark, read_marks, write_marks


def corrected(domain: DomainFields, intent: str, example: str) -> DomainFields:
    """The fields that change: the example is the intent's, in the place of the same words with other marks, wherever they are.

    InvalidRequest if the domain has no such intent.
    """
    if intent != OUT_OF_SCOPE and intent not in [one.name for one in domain.intents]:
        text = f"The domain has no intent '{intent}'. Name one of its intents, or {OUT_OF_SCOPE}."
        raise InvalidRequest(text, param="intent", code="invalid_value")
    said = _words(example)
    intents = []
    for one in domain.intents:
        kept = [other for other in one.examples if _words(other) != said]
        intents.append(one.model_copy(update={"examples": [*kept, example] if one.name == intent else kept}))
    outside = [other for other in domain.out_of_scope if _words(other) != said]
    return DomainFields(intents=intents, out_of_scope=[*outside, example] if intent == OUT_OF_SCOPE else outside)


def example_of(text: str, marks: Sequence[EntityFound]) -> str:
    """The text with its marks; InvalidRequest where it would be read otherwise, as brackets are."""
    said = " ".join(text.split()) if not marks else text
    example = write_marks(said, marks)
    try:
        plain = read_marks(example).text == said
    except BadMark:
        plain = False
    if not plain or not said.strip():
        message = "This can't be an example: it is empty, or its brackets look like marks."
        raise InvalidRequest(message, param="text", code="invalid_value")
    return example


def found_marks(domain: DomainFields, entities: Iterable[EntityFound]) -> list[EntityFound]:
    """Of what was found that which teaches: entities of the domain, neither denied nor meant by a reference."""
    kinds = {entity.name: entity.kind for entity in domain.entities}
    return [
        one.model_copy(update={"value": one.value if isinstance(one.value, str) else one.text, "source": MARK})
        for one in entities
        if kinds.get(one.entity) in ("learned", "lookup") and not one.negated and one.source != "reference"
    ]


def given_marks(domain: DomainFields, text: str, entities: Iterable[ExampleEntity]) -> list[EntityFound]:
    """Where the words stand, each behind the one before; InvalidRequest names what is not there."""
    names, at = {entity.name for entity in domain.entities}, 0
    marks: list[EntityFound] = []
    for number, one in enumerate(entities):
        param = f"entities[{number}]"
        if one.entity not in names:
            raise InvalidRequest(
                f"The domain has no entity '{one.entity}'.", param=f"{param}.entity", code="invalid_value"
            )
        start = text.find(one.text, at)
        if start < 0:
            where = "behind those before it" if at else "in the text"
            message = f"'{one.text[:60]}' does not stand {where}. Give entities in the order of their words."
            raise InvalidRequest(message, param=f"{param}.text", code="invalid_value")
        at = start + len(one.text)
        value = one.text if one.value is None else one.value
        marks.append(
            EntityFound(entity=one.entity, text=one.text, value=value, start=start, end=at, source=MARK, role=one.role)
        )
    return marks


def _words(example: str) -> str:
    """What is said, without marks, in small letters."""
    try:
        return " ".join(read_marks(example).text.lower().split())
    except BadMark:
        return example
