"""What a domain's parts call each other: names that are there twice, mean nothing, or are never used; slots nothing fills."""

from collections.abc import Iterator, Sequence

from zhuli.types.understanding.domain import OUT_OF_SCOPE, DomainFields, Finding, Slot
from zhuli.understanding.domains.checks.findings import error, warning
from zhuli.understanding.domains.checks.uses import RESULT, Use, uses_of

_ONE = {"intents": "intent", "entities": "entity", "slots": "slot", "forms": "form", "responses": "response"}
"""What has names, and what one of it is called."""


def check_names(domain: DomainFields) -> Iterator[Finding]:
    """Errors for names without a meaning, warnings for what has no use."""
    uses = list(uses_of(domain))
    yield from _defined_once(domain)
    yield from _reserved(domain)
    yield from _undefined(domain, uses)
    yield from _unused(domain, uses)
    yield from _unfillable(domain)


def _names(domain: DomainFields, kind: str) -> list[str]:
    if kind == "responses":
        return list(domain.responses)
    return [item.name for item in getattr(domain, kind)]


def _defined_once(domain: DomainFields) -> Iterator[Finding]:
    for kind, one in _ONE.items():
        first: dict[str, int] = {}
        for index, name in enumerate(_names(domain, kind)):
            if name in first:
                text = f"The {one} '{name}' is there already, as {kind}[{first[name]}]. Join them, or rename one."
                yield error("duplicate_name", f"{kind}[{index}].name", text)
            first.setdefault(name, index)


def _reserved(domain: DomainFields) -> Iterator[Finding]:
    for index, intent in enumerate(domain.intents):
        if intent.name == OUT_OF_SCOPE:
            text = f"'{OUT_OF_SCOPE}' is what no intent covers. Put its examples into `out_of_scope`, or rename it."
            yield error("reserved_name", f"intents[{index}].name", text)
    for index, entity in enumerate(domain.entities):
        if set(entity.name) & set(":#"):
            text = f"'{entity.name}' can't be marked in examples, where `:` and `#` mean something. Rename it."
            yield error("reserved_name", f"entities[{index}].name", text)
    for index, slot in enumerate(domain.slots):
        if slot.name == RESULT or slot.name.startswith(f"{RESULT}."):
            text = f"In templates `{{{slot.name}}}` is the output of a function. Rename the slot."
            yield error("reserved_name", f"slots[{index}].name", text)


def _undefined(domain: DomainFields, uses: Sequence[Use]) -> Iterator[Finding]:
    known = {kind: set(_names(domain, kind)) for kind in _ONE}
    known["intents"] |= {name.partition("/")[0] for name in known["intents"]}
    for kind, name, where in uses:
        if name not in known[kind]:
            one = _ONE[kind]
            there = ", ".join(sorted(known[kind])[:20]) or "none yet"
            text = f"There is no {one} '{name}'. Define it under `{kind}`, or name one of: {there}."
            yield error(f"undefined_{one}", where, text)


def _unused(domain: DomainFields, uses: Sequence[Use]) -> Iterator[Finding]:
    """Entities only where there are slots: what they are found for may be to be read by the app."""
    used = {(use.kind, use.name) for use in uses if not (use.kind == "entities" and use.where.startswith("intents"))}
    used |= {("entities", slot.name) for slot in domain.slots if not slot.mappings}
    says = {
        "slots": "No form asks for the slot '{}' and nothing says it; only the model is told of it.",
        "forms": "No intent leads to the form '{}'. Give an intent `form: {}`, or leave the form out.",
        "responses": "Nothing says the response '{}'. Give it to an action, or leave it out.",
        "entities": "No slot takes the entity '{}': it is found and shown, but not remembered.",
    }
    for kind, text in says.items():
        for index, name in enumerate(_names(domain, kind)):
            if (kind, name) not in used and (kind != "entities" or domain.slots):
                where = f"responses.{name}" if kind == "responses" else f"{kind}[{index}]"
                yield warning(f"unused_{_ONE[kind]}", where, text.replace("{}", name))


def _unfillable(domain: DomainFields) -> Iterator[Finding]:
    asked = {name for form in domain.forms for name in form.slots}
    entities = {entity.name for entity in domain.entities}
    for index, slot in enumerate(domain.slots):
        if slot.initial is None and not _fillable(slot, asked=slot.name in asked, entities=entities):
            text = (
                f"Nothing fills the slot '{slot.name}' but the app. Define an entity of its name, give it `mappings`, "
                "or let a form ask for it."
            )
            yield warning("unfillable_slot", f"slots[{index}]", text)


def _fillable(slot: Slot, *, asked: bool, entities: set[str]) -> bool:
    """Texts and booleans without mappings are filled when they are asked for; what else has a type of its own is always."""
    if slot.mappings:
        return any(
            mapping.type == "entity" or (mapping.type == "intent" and not mapping.asked) or asked
            for mapping in slot.mappings
        )
    if slot.name in entities or slot.type in ("number", "date", "time", "category"):
        return True
    return bool(slot.values) if slot.type == "list" else asked
