"""What of Botpress's flows a domain can have: what an intent leads to at once, and the questions for an intent's slots.

Everything else of a flow is a program, and a finding.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from zhuli.understanding.domains.botpress.bot_files import Bot
from zhuli.understanding.domains.imports.json_files import Data, dicts, fields, text, texts
from zhuli.understanding.domains.imports.notes import Notes, function_name

_INTENT = re.compile(r"event\.nlu\.intent\.name\s*={2,3}\s*['\"]([^'\"]+)['\"]")
_SAY = re.compile(r"say\s+#!?([\w-]+)")
_BUILT_IN = re.compile(r"(?:builtin|basic-skills|channel-web|analytics|misunderstood|ndu)/")

MOST_STEPS = 50
"""Nodes that are followed from an intent."""


@dataclass(slots=True)
class Followed:
    """says: contents that an intent leads to. calls: the first action. asks: slots of an intent, with the content that asks."""

    says: dict[str, list[str]] = field(default_factory=dict)
    calls: dict[str, str] = field(default_factory=dict)
    asks: dict[str, dict[str, str]] = field(default_factory=dict)


def follow(bot: Bot, notes: Notes) -> Followed:
    """From each condition on an intent through nodes without a choice."""
    found = Followed()
    for file, flow in bot.flows.values():
        skill = fields(flow.get("skillData"))
        intent, slot = text(skill.get("intent")), text(skill.get("slotName"))
        if intent and slot:
            found.asks.setdefault(intent, {})[slot] = (text(skill.get("contentElement")) or "").removeprefix("#!")
            continue
        for transition in _transitions(flow):
            for intent in _INTENT.findall(text(transition.get("condition")) or ""):
                _walk(bot, flow, text(transition.get("node")) or "", intent, found)
        if dicts(flow.get("nodes")):
            text_ = (
                "Of a flow is taken what an intent leads to at once, and questions for slots; the rest is to be rules."
            )
            notes.add("flow", file, None, text_)
    return found


def _transitions(flow: Data) -> list[Data]:
    nodes = [fields(flow.get("catchAll")), *dicts(flow.get("nodes"))]
    return [transition for node in nodes for transition in dicts(node.get("next"))]


def _walk(bot: Bot, flow: Data, node: str, intent: str, found: Followed) -> None:
    """Along nodes as long as there is one way on."""
    for _ in range(MOST_STEPS):
        if ".flow.json" in node:
            name, _, start = node.partition("#")
            flow = bot.flows.get(name, ("", {}))[1]
            node = start or text(flow.get("startNode")) or ""
        at = next((one for one in dicts(flow.get("nodes")) if one.get("name") == node), None)
        if at is None or at.get("onReceive"):
            return
        if at.get("type") == "skill-call":
            return
        for step in texts(at.get("onEnter")):
            _step(step, intent, found)
        onward = dicts(at.get("next"))
        if len(onward) != 1 or intent in found.calls:
            return
        node = text(onward[0].get("node")) or ""
        if _INTENT.search(text(onward[0].get("condition")) or "") or node in ("", "END", "#"):
            return


def _step(step: str, intent: str, found: Followed) -> None:
    if said := _SAY.match(step):
        if intent not in found.calls:
            found.says.setdefault(intent, []).append(said[1])
    elif not _BUILT_IN.match(step) and step.strip():
        found.calls.setdefault(intent, function_name(step.split()[0]))


def said_by(element: Data, codes: list[str]) -> dict[str, str]:
    """The texts of a content element by language code: of `text$en`, or of one without a language."""
    form: dict[str, Any] = fields(element.get("formData"))
    found = {code: words for code in codes if (words := text(form.get(f"text${code}")))}
    return found or ({codes[0]: words} if (words := text(form.get("text"))) else {})
