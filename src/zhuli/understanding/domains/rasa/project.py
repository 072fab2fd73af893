"""Makes a domain of a Rasa project's files: NLU data, domain files, rules and stories, config; of 1.x, 2.x and 3.x.

It takes what is there; what is not taken over is a finding that says what, where and why. Each kind of file has a module:
nlu_data, domain_file, stories (whose turns conditions makes rules of). That the result is sound is
understanding/domains/checks/checking's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zhuli.core.errors import InvalidRequest
from zhuli.types.understanding.domain import OUT_OF_SCOPE, Act, DomainFields, Finding
from zhuli.understanding.domains.imports.draft import validated, variables_of
from zhuli.understanding.domains.imports.notes import Notes
from zhuli.understanding.domains.rasa.conditions import Followed, Known, fallbacks, follow
from zhuli.understanding.domains.rasa.domain_file import RasaDomain, read_domain
from zhuli.understanding.domains.rasa.nlu_data import Nlu, entities_of, entity_names, read_nlu
from zhuli.understanding.domains.rasa.stories import Script, read_turns
from zhuli.understanding.domains.rasa.yaml_files import RasaFiles, text_of
from zhuli.understanding.domains.yaml.tree import data_of
from zhuli.understanding.language.marked_examples import BadMark, read_marks
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


@dataclass(frozen=True, slots=True)
class _Read:
    """A project as it was read."""

    source: RasaFiles
    notes: Notes
    nlu: Nlu
    domain: RasaDomain
    followed: Followed
    intents: Sequence[str]


def read(files: Mapping[str, str]) -> tuple[DomainFields, list[Finding]]:
    """The domain, and what of the files is not in it; files: their texts by name. InvalidRequest for what is no Rasa project."""
    notes = Notes()
    source = RasaFiles(files, notes)
    if not any(source.has(key) for key in ("nlu", "intents")):
        text = "None of the files has `nlu:` or `intents:`. Send the project's nlu.yml and domain.yml."
        raise InvalidRequest(text, param="files", code="invalid_value")
    nlu = read_nlu(source, notes)
    intents = _intents(source, nlu)
    domain = read_domain(source, notes, intents, entity_names(source, nlu))
    script = Script(forms=domain.forms, said=_said(nlu))
    turns = read_turns(source, notes, script)
    domain.responses |= script.bot
    known = Known(
        forms=domain.forms,
        responses=domain.responses,
        variations=domain.variations,
        intents=intents,
        slots={slot["name"]: slot for slot in domain.slots},
        entities=entity_names(source, nlu),
    )
    given = _domain(_Read(source, notes, nlu, domain, follow(turns, notes, known), intents))
    return validated(given), list(notes)


def _intents(source: RasaFiles, nlu: Nlu) -> list[str]:
    """Those that the domain names, then those that only have examples; of a retrieval intent those that it consists of."""
    names = dict.fromkeys([*source.names("intents"), *nlu.examples])
    whole = {name.partition("/")[0] for name in names if "/" in name}
    split = {name for name in whole if not nlu.examples.get(name)}
    return [name for name in names if name not in (OUT_OF_SCOPE, FALLBACK) and name not in split]


def _said(nlu: Nlu) -> dict[str, str]:
    """Examples without their marks, in lower case, and whose they are."""
    found: dict[str, str] = {}
    for intent, examples in nlu.examples.items():
        for example in examples:
            try:
                found.setdefault(read_marks(example).text.strip().lower(), intent)
            except BadMark:
                continue
    return found


def _domain(read: _Read) -> dict[str, Any]:
    domain, followed = read.domain, read.followed
    forms = [
        {
            "name": name,
            "slots": slots,
            "prompts": domain.prompts.get(name, {}),
            "action": followed.after_form.get(name, {"type": "talk"}),
        }
        for name, slots in domain.forms.items()
    ]
    prompts = [prompt for form in domain.prompts.values() for prompt in form.values()]
    said = [*domain.responses.values(), *prompts, *(slot["prompt"] for slot in domain.slots if "prompt" in slot)]
    slots = {slot["name"] for slot in domain.slots}
    variables = variables_of(said, slots)
    if variables:
        text = (
            f"Custom actions fill {', '.join(variables[:8])}{' and others' if len(variables) > 8 else ''} in responses; here "
            "functions' outputs do, as `variables`."
        )
        read.notes.add("variables", "responses", None, text)
    return {
        "languages": [_language(read.source, read.nlu)],
        "intents": [_intent(name, read) for name in read.intents],
        "out_of_scope": read.nlu.examples.get(OUT_OF_SCOPE, []),
        "entities": entities_of(read.source, read.nlu, read.notes, also=_filling(domain)),
        "slots": domain.slots,
        "forms": forms,
        "responses": domain.responses,
        "rules": _rules(read),
        "variables": variables,
        "fallback": {**_thresholds(read.source, read.notes), **_outside(read)},
    }


def _filling(domain: RasaDomain) -> list[str]:
    """Entities that fill slots."""
    return [one["entity"] for slot in domain.slots for one in slot["mappings"] if one["type"] == "entity"]


def _intent(name: str, read: _Read) -> dict[str, Any]:
    """A retrieval intent's answer is the response of its name; what follows all of it follows those that have none."""
    followed, whole = read.followed, name.partition("/")[0]
    made: dict[str, Any] = {"name": name, "examples": read.nlu.examples.get(name, [])}
    answer = f"utter_{name}"
    form = followed.forms.get(name) or followed.forms.get(whole)
    action = followed.after_intent.get(name) or followed.after_intent.get(whole)
    if "/" in name and answer in read.domain.responses:
        made["action"] = {"type": "respond", "response": answer}
    elif form is not None:
        made["form"] = form
    elif action is not None and action["type"] != "answer":
        made["action"] = action
    act = ACTS.get(name)
    if act is not None and not (act == "handover" and _has_words(name, read)):
        text = f"The intent '{name}' is taken to mean `act: {act}`. Remove that if it does not."
        read.notes.add("act_guessed", name, None, text)
        made["act"] = act
    return made


def _has_words(name: str, read: _Read) -> bool:
    """Whether the project says itself what follows the intent."""
    followed = read.followed
    ruled = any(name in rule["when"].get("intents", ()) for rule in followed.rules)
    return name in followed.after_intent or name in followed.forms or ruled


def _rules(read: _Read) -> list[dict[str, Any]]:
    """Those whose intents are some; what Rasa is not sure about is out of scope here."""
    wholes = {name.partition("/")[0] for name in read.intents}
    there = {*read.intents, *wholes, OUT_OF_SCOPE}
    rules = []
    for rule in read.followed.rules:
        when = dict(rule["when"])
        if "intents" in when:
            named = [OUT_OF_SCOPE if name == FALLBACK else name for name in when["intents"]]
            when["intents"] = [name for name in dict.fromkeys(named) if name in there]
            for name in dict.fromkeys(named):
                if name not in there:
                    text = f"A story has the intent '{name}', which the domain does not have. What follows it is not taken."
                    read.notes.add("no_intent", name, None, text)
            if not when["intents"]:
                continue
        rules.append({"when": when, "do": rule["do"]})
    return rules


def _outside(read: _Read) -> dict[str, Any]:
    found = fallbacks(read.followed)
    answers = [name for name in read.domain.responses if name.startswith(f"utter_{OUT_OF_SCOPE}/")]
    if answers and found.get("out_of_scope", {"type": "respond"})["type"] == "respond":  # what follows it is in rules
        other = next((name for name in answers if name.endswith(("/other", "/default"))), answers[0])
        found["out_of_scope"] = {"type": "respond", "response": other}
    return found


def _thresholds(source: RasaFiles, notes: Notes) -> dict[str, float]:
    """Of the FallbackClassifier in config.yml."""
    found: dict[str, float] = {}
    for file, item in source.items("pipeline"):
        if not (text_of(item.fields.get("name")) or "").endswith("FallbackClassifier"):
            continue
        for theirs, ours in (("threshold", "threshold"), ("ambiguity_threshold", "margin")):
            value = data_of(item.fields[theirs]) if theirs in item.fields else None
            if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
                found[ours] = value
                text = (
                    f"The `{ours}` {value} is FallbackClassifier's. Leave it out, and one is chosen from the examples."
                )
                notes.add("threshold", file, item, text)
    return found


def _language(source: RasaFiles, nlu: Nlu) -> str:
    """What config.yml says; otherwise Chinese if the examples have its characters."""
    said = next((str(node.value) for _, node in source.all("language")), "")
    words = (token.text for examples in nlu.examples.values() for example in examples[:5] for token in tokens(example))
    return "zh" if said.startswith("zh") or (not said and any(map(unspaced, words))) else "en"
