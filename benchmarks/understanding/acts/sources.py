"""Messages with their dialogue acts, from five sources that label them differently, and from lines of our own.

No source says everything: `known` are the acts that its labels decide, for or against; of the others nothing is learned from it.
Relations between labels and acts are below, one function a source. Licences: nlupp CC BY 4.0, sgd CC BY-SA 4.0, crosswoz
Apache 2.0, clinc150 CC BY 3.0, our lines CC0.
"""

import itertools
import json
import random
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from zhuli.types.understanding.domain import Language
from zhuli.understanding.language.acts.act_features import QUESTIONS, Question
from zhuli.understanding.language.acts.act_head import ACTS

LINES = Path(__file__).with_name("lines")

OF_A_LINE = 5
"""Texts that are made of a line with words from lists, drawn with the line as seed."""

EVERY = frozenset(ACTS)


@dataclass(frozen=True, slots=True)
class ActExample:
    """question: what was open, None where it is not known. line: examples of one line, or one text, stay together."""

    text: str
    acts: frozenset[str]
    known: frozenset[str]
    question: Question | None
    source: str
    language: Language
    line: str


def read_all(data: Path) -> list[ActExample]:
    """data: a folder with a folder for each source."""
    readers = (partial(nlupp, data), partial(sgd, data), partial(clinc150, data), partial(crosswoz, data), ours)
    return [example for reader in readers for example in reader()]


def ours() -> Iterator[ActExample]:
    """lines/en.txt and zh.txt, whose heads say how they are written."""
    languages: tuple[Language, ...] = ("en", "zh")
    for language in languages:
        lists: dict[str, list[str]] = {}
        acts, questions = frozenset[str](), list[Question]()
        for line in (LINES / f"{language}.txt").read_text(encoding="utf-8").splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith("$"):
                name, _, words = line[1:].partition(":")
                lists[name.strip()] = [word.strip() for word in words.split("|")]
            elif line.startswith("="):
                said, _, asked = line[1:].partition("@")
                acts = frozenset(said.split())
                questions = [cast(Question, one.strip()) for one in asked.split(",") if one.strip()] or list(QUESTIONS)
                assert acts <= EVERY, line
            else:
                for text, question in itertools.product(_texts(line, lists), questions):
                    yield ActExample(text, acts, EVERY, question, f"ours_{language}", language, f"{language} {line}")


def _texts(line: str, lists: dict[str, list[str]]) -> list[str]:
    """The line with the words of each list in place of its name."""
    names = [name for name in lists if f"{{{name}}}" in line]
    made = [line]
    for name in names:
        made = [one.replace(f"{{{name}}}", word) for one in made for word in lists[name]]
    return random.Random(line).sample(made, min(OF_A_LINE, len(made)))


NLUPP = {
    "affirm": "affirm", "deny": "deny", "dont_know": "dont_know", "greet": "greet", "end_call": "bye", "handoff": "handover",
    "thank": "thank", "repeat": "repeat",
}  # fmt: skip


def nlupp(data: Path) -> Iterator[ActExample]:
    """Banking. Who has forgotten a number is labelled as not knowing, which is no answer to a question: left open."""
    for path in sorted((data / "nlupp").glob("banking_fold*.json")):
        for one in json.loads(path.read_text()):
            text, labels = one["text"], one.get("intents", [])
            acts = frozenset(NLUPP[label] for label in labels if label in NLUPP)
            known = frozenset(NLUPP.values()) - ({"dont_know"} if re.search("forg|rememb", text) else set())
            yield ActExample(text, acts & known, known, None, "nlupp", "en", text)


SGD = {
    "AFFIRM": "affirm", "AFFIRM_INTENT": "affirm", "NEGATE": "deny", "NEGATE_INTENT": "deny", "THANK_YOU": "thank",
    "GOODBYE": "bye",
}  # fmt: skip
SGD_SILENT = EVERY - {"greet", "help", "told"}
"""Of what users of sgd never do, and so are examples against it; how they greet is not labelled."""


def sgd(data: Path) -> Iterator[ActExample]:
    """Every third dialogue of the training and development files. A no with a value, to "is this right?", corrects."""
    for path in sorted((data / "sgd_dialogues").glob("*_dialogues_*.json")):
        if path.name.startswith("test"):
            continue
        for dialogue in json.loads(path.read_text())[::3]:
            before: frozenset[str] = frozenset()
            for turn in dialogue["turns"]:
                actions = [action for frame in turn["frames"] for action in frame["actions"]]
                names = frozenset(action["act"] for action in actions)
                if turn["speaker"] == "USER":
                    yield _sgd_turn(turn["utterance"], actions, names, before)
                before = names


def _sgd_turn(text: str, actions: list[dict[str, Any]], names: frozenset[str], before: frozenset[str]) -> ActExample:
    acts = {SGD[name] for name in names if name in SGD}
    known = set(SGD_SILENT)
    if "INFORM" in names and "CONFIRM" in before:
        if "NEGATE" in names:
            acts.add("correct")
        else:
            known.discard("correct")
    if any(action["act"] == "INFORM" and "dontcare" in action["values"] for action in actions):
        acts.add("any")
    if "SELECT" in names or "REQUEST_ALTS" in names:
        known -= {"affirm", "deny"} - acts
    if names & {"NEGATE", "NEGATE_INTENT"}:
        known.discard("cancel")
    question: Question = "none"
    if before & {"CONFIRM", "OFFER_INTENT", "OFFER"}:
        question = "yes_no"
    elif "REQUEST" in before:
        question = "value"
    return ActExample(text, frozenset(acts & known), frozenset(known), question, "sgd", "en", text)


CLINC = {
    "yes": "affirm", "no": "deny", "maybe": "dont_know", "repeat": "repeat", "thank_you": "thank", "goodbye": "bye",
    "greeting": "greet", "cancel": "cancel", "what_can_i_ask_you": "help", "what_is_your_name": "identity",
    "are_you_a_bot": "identity", "who_made_you": "identity", "who_do_you_work_for": "identity",
    "where_are_you_from": "small_talk", "how_old_are_you": "small_talk", "what_are_your_hobbies": "small_talk",
    "do_you_have_pets": "small_talk", "tell_joke": "small_talk", "meaning_of_life": "small_talk", "oos": "off_topic",
}  # fmt: skip
CLINC_OF_ACTS, CLINC_OF_OTHERS = 60, 5
"""Messages of each of its intents that are acts, and of each of the others."""

GENERAL = re.compile(
    "weather|definition|fact|calculator|time|date|spelling|translate|distance|calories|nutrition|recipe"
)
"""Intents that are about the world: whether they are off topic is for the domain to say."""


def clinc150(data: Path) -> Iterator[ActExample]:
    """Its training part, and what is out of scope of training and validation."""
    whole = json.loads((data / "clinc150" / "data_full.json").read_text())
    count: dict[str, int] = {}
    for text, intent in [*whole["train"], *whole["oos_train"], *whole["oos_val"]]:
        count[intent] = count.get(intent, 0) + 1
        if count[intent] > (CLINC_OF_ACTS if intent in CLINC else CLINC_OF_OTHERS) and intent != "oos":
            continue
        known = EVERY - {"help", "any", "why", "told"} | ({"help"} if CLINC.get(intent) == "help" else set())
        if GENERAL.search(intent) or intent in ("greeting", "change_ai_name"):
            known -= {"off_topic", "small_talk", "identity"}
        if intent in ("maybe", "no"):
            known -= {"cancel", "any", "dont_know"} - {CLINC[intent]}
        acts = frozenset({CLINC[intent]} if intent in CLINC else ())
        yield ActExample(text, acts, frozenset(known), None, "clinc150", "en", text)


def crosswoz(data: Path) -> Iterator[ActExample]:
    """Every fourth dialogue of the validation part. Users of it book nothing: yes and no are not labelled."""
    with zipfile.ZipFile(data / "crosswoz_zh" / "val.json.zip") as packed:
        dialogues = json.loads(packed.read(packed.namelist()[0]))
    known = EVERY - {"affirm", "deny", "help", "any", "correct"}
    for number in sorted(dialogues)[::4]:
        for turn in dialogues[number]["messages"]:
            if turn["role"] == "usr":
                acts = frozenset(act[1] for act in turn["dialog_act"] if act[0] == "General" and act[1] in EVERY)
                yield ActExample(turn["content"], acts, known, "none", "crosswoz", "zh", turn["content"])
