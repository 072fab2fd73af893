"""Risks, working hours, and what replayed matters come to."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from zhuli.applications.support.hours import closed_text, opens_at
from zhuli.applications.support.outcome import Outcome
from zhuli.applications.support.published import Ordering
from zhuli.applications.support.replay import report
from zhuli.applications.support.risks import found
from zhuli.operating.asking.support import told
from zhuli.types.applications.support import Content, Proposal, RiskRule, WorkingHours


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I was charged twice!", "money"),
        ("my child has chest pain after using it", "health"),
        ("you will hear from my LAWYER", "law"),
        ("this is outrageous", "anger"),
        ("我的卡被盗刷了", "money"),
        ("我要起诉你们", "law"),
        ("I have an issue with the pursuer", None),
        ("Where is my order?", None),
    ],
)
def test_stated_risks_are_found_by_their_words(text: str, reason: str | None) -> None:
    said = found(text, [])
    assert (said[0] if said else None) == reason


def test_a_desk_has_rules_of_its_own_and_switches_others_off() -> None:
    rules = [RiskRule(name="recall", words=["recall"], pattern=r"batch\s+\d+"), RiskRule(name="anger", off=True)]
    assert found("Is batch  17 bad?", rules) == ("rule", "recall: “batch  17”")
    assert found("this is outrageous", rules) is None
    slow = [RiskRule(name="slow", pattern=r"(a+)+$")]
    assert found("a" * 3_000 + "!", slow) is None


def test_the_order_of_matters_is_counted_by_label_or_by_example() -> None:
    def intent(name: str, **content: Any) -> Proposal:
        made = Content(examples=content.pop("examples", ["x"]), **content)
        return Proposal(
            id=name, created_at=0, desk_id="d", kind="intent", name=name, status="accepted", content=made, origin="o"
        )

    ordering = Ordering([intent("hotel", labels=["h"]), intent("phone", examples=["the phone?"])])
    ordering.count([{"question": "a room", "label": "h"}, {"question": "the [phone]?"}, {"question": "what?"}])
    ordering.count([{"question": "what?"}, {"question": "the phone?"}])
    assert ordering.order.settings() == {
        "often": {"hotel": 1, "phone": 2},
        "follows": {"": {"hotel": 1}, "hotel": {"phone": 1}},
    }


HOURS = WorkingHours(timezone="Asia/Shanghai", days={"mon": ["09:00", "18:00"], "fri": ["22:00", "02:00"]})


@pytest.mark.parametrize(
    ("utc", "opens"),
    [
        ("2026-11-30T02:00", None),  # Monday, 10 in Shanghai
        ("2026-11-30T11:00", "2026-12-04T14:00"),  # Monday evening: Friday is next
        ("2026-12-04T17:00", None),  # Saturday, 1 in the morning: Friday goes on
        ("2026-12-05T00:00", "2026-12-07T01:00"),
    ],
)
def test_hours_say_when_people_are_back(utc: str, opens: str | None) -> None:
    now = datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp()
    back = opens_at(HOURS, now)
    assert back == (None if opens is None else datetime.fromisoformat(opens).replace(tzinfo=UTC).timestamp())
    assert opens_at(None, now) is None
    if back is not None:
        assert closed_text(HOURS, back, "zh").startswith("我们的同事将于2026-12")


def test_replayed_matters_come_to_recall_shares_and_a_curve() -> None:
    names, texts = ["refund", "parcel"], ["Refunds take five days.", "Track the parcel on our site."]
    axes = np.eye(3, dtype=np.float32)
    matters = [
        Outcome("the refund please", "answered", ("refund", "parcel"), 0.9, True),
        Outcome("track the parcel", "answered", ("refund", "parcel"), 0.6, True),
        Outcome("my lawyer", "handed_over", ("refund", "parcel"), 0.9, False),
        Outcome("something else", "handed_over", ("parcel", "refund"), 0.1, True),
    ]
    made = report(
        matters,
        names,
        texts,
        labelled=[None] * 4,
        questions=axes[[0, 1, 2, 2]],
        references=axes[[0, 1, 2, 2]],
        answers=axes[[0, 1]],
        cost_of_contact=4.0,
        seconds=2.0,
    )
    assert made["with_a_template"] == 2
    labelled = report(
        matters,
        names,
        texts,
        labelled=["parcel", "refund", "", None],
        questions=axes[[0, 1, 2, 2]],
        references=axes[[0, 1, 2, 2]],
        answers=axes[[0, 1]],
        cost_of_contact=4.0,
        seconds=2.0,
    )
    assert (labelled["with_a_template"], labelled["wrong_and_sure"]) == (2, 0.25)
    assert labelled["recall"]["bm25"]["@1"] == 0.0
    assert made["recall"] == {
        "desk": {"@1": 0.5, "@5": 1.0},
        "bm25": {"@1": 1.0, "@5": 1.0},
        "untuned_vectors": {"@1": 1.0, "@5": 1.0},
    }
    assert made["shares"] == {"answered": 0.5, "asked": 0.0, "searched": 0.0, "handed_over": 0.5}
    assert (made["wrong_and_sure"], made["cost_per_contact"], made["seconds_per_contact"]) == (0.25, 2.0, 0.5)
    curve = {point["point"]: (point["answered"], point["wrong"]) for point in made["curve"]}
    assert (curve[0.0], curve[0.6], curve[0.65], curve[0.95]) == ((0.75, 0.5), (0.5, 0.25), (0.25, 0.0), (0.0, 0.0))
    assert made["recommended"]["answered"] == 0.25
    lines = list(told({**made, "version": 3}))
    assert lines[0] == "4 matters, 2 of them with a template; version 3"
    assert lines[2].split() == ["desk", "50.0", "%", "100.0", "%"]
    assert [line for line in lines if "at most" in line] == ["    0.65    25.0 %   0.0 %  at most 5 % wrong"]
