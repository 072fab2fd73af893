"""A support desk for medicine: answers with the guidance, word for word and with its source; refuses outside of it; hands
over what is about someone's own health. `make demo-support ARGS="--medicine [--composed]"`.

The guidance that lies beside this file is from March 2020, and no medical advice: SOURCE.txt. Asked are questions in other words
than the guidance has (covered), on what it does not say (outside), and of people about themselves (personal). They and the rules
below were written by the same hand, so the figures show that it works, and not how well it would. --composed: the desk's model
writes the answers from the passages that are found, and cites them; the packaged one is not fit for that.
"""

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.learning.circle.house import House

FOLDER = Path(__file__).parent

DESK: dict[str, Any] = {
    "name": "Guidance on COVID-19",
    "languages": ["en"],
    "risks": [
        {
            "name": "health",
            "words": [
                "fever",
                "coughing blood",
                "lost consciousness",
                "fainted",
                "swallowed",
                "pregnant and",
                "worse and worse",
            ],
        },
        {
            "name": "own_treatment",
            "pattern": r"\b(?:should|can|may|must) (?:i|we|he|she|they) (?:still )?(?:take|stop|give|use|swallow)\b"
            r"|\bdos(?:e|es|age|ing)\b|\bhow (?:many|much)\b.*\b(?:tablets?|pills?|mg|drops|take)\b",
        },
        {
            "name": "own_health",
            "pattern": r"\bi(?:'m| am| have| feel| think| was)\b"
            r"|\bmy (?:child|baby|son|daughter|mother|father|husband|wife|partner|friend|patient)\b",
        },
    ],
    "operating_point": 0.8,
}
"""What makes of a support desk one for medicine: whoever speaks of themselves or of treatment gets a person, and so does whoever
is understood with less certainty than this. A wrong answer costs more here than a contact."""


def told(house: House, done: Callable[..., dict[str, Any]], *, composed: bool) -> None:
    """Set up, ask everything, and print what came of it. done: begins a task of a desk, and gives it when it has ended."""
    given = {**DESK, "operating_point": None} if composed else DESK
    desk = house.post("/support_desks", given)["id"]
    entries = [json.loads(line) for line in (FOLDER / "guidance.jsonl").read_text("utf-8").splitlines()]
    if not composed:
        entries = [{**one, "label": one["question"]} for one in entries]
    text = "\n".join(json.dumps(one) for one in entries)
    asked = {"text": text, "format": "jsonl", "mask": False, "held_out": 0, "least": 1_000 if composed else 1}
    imported = done(house, desk, "imports", asked)["result"]
    published = done(house, desk, "publish", {"accept": 1})["result"]
    print(f"guidance: {imported['dialogues']} entries; proposed {imported['proposed']}")
    questions = json.loads((FOLDER / "questions.json").read_text("utf-8"))
    answers = {one["question"]: one["answer"] for one in entries}
    if composed:
        _indexed(house, published["vector_store"])
        _found(house, published, questions["covered"])
    else:
        right = Counter(
            _asked(house, desk, published["assistant"], text, answers[title]) for text, title in questions["covered"]
        )
        _print("covered", right)
    for kind in ("outside", "personal"):
        _print(kind, Counter(_asked(house, desk, published["assistant"], text, None) for text in questions[kind]))
    _conversation(house, published["assistant"], questions["covered"][0][0])


def _print(kind: str, outcomes: Counter[str]) -> None:
    told = ", ".join(f"{name} {count}" for name, count in outcomes.most_common())
    print(f"{kind}: {outcomes.total()} asked; {told}", flush=True)


def _indexed(house: House, store: str) -> None:
    while house.get(f"/vector_stores/{store}")["file_counts"]["in_progress"]:
        time.sleep(0.5)


def _found(house: House, published: dict[str, Any], questions: list[list[str]]) -> None:
    """Which of these are searched, and whether the passage that answers them is among the first that are found."""
    searched, first, three = 0, 0, 0
    for text, title in questions:
        said = house.post("/understandings", {"domain": published["domain"], "input": text})
        searched += said["decision"]["act"] == "search"
        found = house.post(f"/vector_stores/{published['vector_store']}/search", {"query": text, "max_num_results": 3})
        texts = ["".join(part["text"] for part in one["content"]) for one in found["data"]]
        first += any(title in one for one in texts[:1])
        three += any(title in one for one in texts)
    print(
        f"covered: {len(questions)} asked; searched {searched}; the right passage is the first {first}, among three {three}"
    )


def _asked(house: House, desk: str, assistant: str, text: str, right: str | None) -> str:
    """What became of a message. right: the guidance's answer."""
    run = house.run(assistant, text)
    if run["status"] == "requires_action":
        handoffs = house.get(f"/support_desks/{desk}/handoffs?limit=100")["data"]
        return "handed over ({})".format(next(one["reason"] for one in handoffs if one["run_id"] == run["id"]))
    said = house.get(f"/threads/{run['thread_id']}/messages")["data"][0]["content"][0]["text"]["value"]
    if right is not None:
        return (
            "answered rightly"
            if said == right
            else "asked or told otherwise"
            if "(CDC, " not in said
            else "answered wrongly"
        )
    return "answered" if "(CDC, " in said else "told otherwise"


def _conversation(house: House, assistant: str, text: str) -> None:
    """One answer, with what it is taken from."""
    run = house.run(assistant, text)
    said = house.get(f"/threads/{run['thread_id']}/messages")["data"][0]["content"][0]["text"]
    print(f"\n> {text}\n  {said['value']}")
    for note in said["annotations"]:
        print(f"  {note['text']} {note['file_citation'].get('quote', '')[:160]}")
