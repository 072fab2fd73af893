"""Makes a domain of a Rasa project's files: NLU data, domain.yml, rules and stories, of format 2.0 and 3.x.

What is not taken over is a finding that says what, where and why. Each kind of file has a module: rasa_nlu, rasa_domain,
rasa_rules. That the result is sound is understanding/domains/checks/checking's.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from zhuli.core.errors import InvalidRequest
from zhuli.types.refusals import refusal_of
from zhuli.types.understanding.domain import OUT_OF_SCOPE, Act, DomainFields, Finding
from zhuli.understanding.domains.rasa.domain_file import RasaDomain, read_domain
from zhuli.understanding.domains.rasa.nlu_data import Nlu, entities_of, read_nlu
from zhuli.understanding.domains.rasa.rules import Followed, read_rules
from zhuli.understanding.domains.rasa.yaml_files import Notes, RasaFiles
from zhuli.understanding.language.tokens import tokens, unspaced

ACTS: dict[str, Act] = {
    "affirm": "affirm",
    "deny": "deny",
    "cancel": "cancel",
    "stop": "cancel",
    "handoff": "handover",
    "human_handoff": "handover",
    "handover": "handover",
}
"""What intents of these names mean to a dialogue, by the names that Rasa's examples give them."""

FALLBACK = "nlu_fallback"
"""Rasa's intent of what it is not sure about."""


def read(files: Mapping[str, str]) -> tuple[DomainFields, list[Finding]]:
    """The domain, and what of the files is not in it; files: their texts by name. InvalidRequest for what is no Rasa file."""
    source, notes = RasaFiles(files), Notes()
    if not any(source.has(key) for key in ("nlu", "intents")):
        text = "None of the files has `nlu:` or `intents:`. Send the project's nlu.yml and domain.yml."
        raise InvalidRequest(text, param="files", code="invalid_value")
    nlu = read_nlu(source, notes)
    known = read_domain(source, notes, _intents(source, nlu))
    followed = read_rules(source, notes, forms=known.forms, responses=known.responses)
    given = _domain(source, notes, nlu, known, followed)
    try:
        return DomainFields.model_validate(given), list(notes)
    except ValidationError as error:
        raise _refused(error) from error


def _intents(source: RasaFiles, nlu: Nlu) -> list[str]:
    """Those that the domain names, then those that only have examples; without those for what is no intent here."""
    names = dict.fromkeys([*source.names("intents"), *nlu.examples])
    return [name for name in names if name not in (OUT_OF_SCOPE, FALLBACK)]


def _domain(source: RasaFiles, notes: Notes, nlu: Nlu, known: RasaDomain, followed: Followed) -> dict[str, Any]:
    forms = [
        {"name": name, "slots": slots, "action": followed.after_form.get(name, {"type": "talk"})}
        for name, slots in known.forms.items()
    ]
    outside = followed.after_intent.get(OUT_OF_SCOPE) or followed.after_intent.get(FALLBACK)
    return {
        "languages": [_language(source, nlu)],
        "intents": [_intent(name, notes, nlu, followed) for name in _intents(source, nlu)],
        "out_of_scope": nlu.examples.get(OUT_OF_SCOPE, []),
        "entities": entities_of(source, nlu, notes),
        "slots": known.slots,
        "forms": forms,
        "responses": known.responses,
        **({"fallback": {"out_of_scope": outside}} if outside else {}),
    }


def _intent(name: str, notes: Notes, nlu: Nlu, followed: Followed) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "examples": nlu.examples.get(name, [])}
    if (act := ACTS.get(name)) is not None:
        notes.add(
            "act_guessed", name, None, f"The intent '{name}' is taken to mean `act: {act}`. Remove that if it does not."
        )
        made["act"] = act
    if name in followed.forms:
        made["form"] = followed.forms[name]
    elif name in followed.after_intent:
        made["action"] = followed.after_intent[name]
    return made


def _language(source: RasaFiles, nlu: Nlu) -> str:
    """What config.yml says; otherwise Chinese if the examples have its characters."""
    said = next((str(node.value) for _, node in source.all("language")), "")
    words = (token.text for examples in nlu.examples.values() for example in examples[:5] for token in tokens(example))
    return "zh" if said.startswith("zh") or (not said and any(map(unspaced, words))) else "en"


def _refused(error: ValidationError) -> InvalidRequest:
    said = refusal_of(error)
    return InvalidRequest(f"The files can't be made into a domain. {said.message}", param="files", code=said.code)
