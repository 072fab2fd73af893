"""Audits say how far a model's labels depend on who asks, and nothing where they do not."""

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from zhuli.core.errors import ConfigurationError
from zhuli.operating.asking.audit import asked
from zhuli.safety.audits import card
from zhuli.safety.audits.auditing import audit, with_pairs
from zhuli.safety.audits.pairs import chosen
from zhuli.safety.audits.said import Said
from zhuli.safety.audits.swaps import AXES, MESSAGES, AxisOfGroups, axes_of, introduced
from zhuli.types.safety.audit import (
    Audit,
    AuditBounds,
    AuditCreate,
    AuditLanguage,
    AuditReport,
    Bounds,
    SentencePair,
)

TEXTS = [f"Question {number}?" for number in range(200)]
AXIS = AxisOfGroups("origin", {"here": introduced(["I am from here."]), "there": introduced(["I am from there."])})


def unfair(share: float) -> object:
    """Says "no" to this share of the texts of people from there, else "yes"."""
    drawn = random.Random(0)
    told = {text: drawn.random() < share for text in TEXTS}

    async def predict(texts: Sequence[str]) -> list[Said]:
        return [Said("no" if "there" in text and told[text.split(". ")[1]] else "yes", 0.9) for text in texts]

    return predict


async def test_a_model_that_is_the_same_to_all_has_no_gap() -> None:
    report = await audit(unfair(0.0), TEXTS, [AXIS], bounds=Bounds(changed=0, gap=0))  # type: ignore[arg-type]
    (one,) = report.axes
    assert (one.changed, one.gap, one.examples, report.passed) == (0, None, [], True)


async def test_a_gap_is_found_with_an_interval_around_it() -> None:
    report = await audit(unfair(0.2), TEXTS, [AXIS], labels=["yes"] * 200, bounds=Bounds(changed=0.05, gap=0.05))  # type: ignore[arg-type]
    (one,) = report.axes
    assert one.gap is not None and one.accuracy_gap is not None
    assert one.gap.gap == one.accuracy_gap.gap == pytest.approx(one.changed)
    assert 0.12 < one.gap.gap < 0.28
    assert one.gap.interval[0] < one.gap.gap < one.gap.interval[1]
    assert one.gap.interval[0] > 0.05
    assert (report.passed, len(report.reasons)) == (False, 2)
    assert one.examples[0].labels == {"here": "yes", "there": "no"}


async def test_the_interval_holds_the_truth_in_about_95_of_100_draws() -> None:
    drawn, held = random.Random(1), 0
    for _ in range(100):
        told = {text: drawn.random() < 0.3 for text in TEXTS[:100]}

        async def predict(texts: Sequence[str], told: dict[str, bool] = told) -> list[Said]:
            return [Said("no" if "there" in text and told[text.split(". ")[1]] else "yes") for text in texts]

        (one,) = (await audit(predict, TEXTS[:100], [AXIS])).axes
        low, high = one.changed_interval
        held += low <= 0.3 <= high
    assert held >= 88


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_every_built_in_axis_says_each_text_in_as_many_ways_as_it_has_groups(language: str) -> None:
    asked: list[str] = []

    async def predict(texts: Sequence[str]) -> list[Said]:
        asked.extend(texts)
        return [Said("same")] * len(texts)

    report = await audit(predict, MESSAGES[language], axes_of(language, None, {}))  # type: ignore[index, arg-type]
    assert [one.axis for one in report.axes] == [axis.name for axis in AXES[language]]  # type: ignore[index]
    assert len(asked) == sum(one.texts * len(one.groups) for one in report.axes)
    assert all(one.texts >= 5 for one in report.axes)


async def test_a_card_has_the_newest_report_and_keeps_the_rest(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# A model\n\nWhat it is for.\n", encoding="utf-8")
    report = await audit(unfair(0.2), TEXTS, [AXIS])  # type: ignore[arg-type]
    made = Audit(id="audit_1", created_at=1, model="m", language="en", request=AuditCreate(model="m"), report=report)
    for _ in range(2):
        card.write(tmp_path, made)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# A model\n\nWhat it is for.\n")
    assert text.count("## Bias audit") == 1
    assert "| origin | 200 |" in text


def answering(prefers: Callable[[str, str], str]) -> Callable[[Sequence[str]], Any]:
    """A chat model that answers by what stands behind A and B."""

    async def ask(messages: Sequence[str]) -> list[str]:
        return [prefers(*re.findall(r"^[AB](?:: |：)(.*)$", message, re.MULTILINE)) for message in messages]

    return ask


STEREOTYPES = [
    SentencePair(more=f"They {n} steal.", less=f"We {n} steal.", kind="odd" if n % 2 else "even") for n in range(40)
]


@pytest.mark.parametrize(
    ("prefers", "counts"),
    [
        (lambda a, b: "A." if "They" in a else "b", (40, 0, 0)),
        (lambda a, b: "Answer: B" if "They" in a else "A", (0, 40, 0)),
        (lambda a, b: "A", (0, 0, 40)),
        (lambda a, b: "A sentence like that is not for me to judge." if "They" in a else "neither", (0, 0, 40)),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_only_who_prefers_a_sentence_in_either_order_prefers_it(
    prefers: Callable[[str, str], str], counts: tuple[int, int, int], language: AuditLanguage
) -> None:
    report = await chosen(answering(prefers), STEREOTYPES, language)
    assert (report.stereotype, report.other, report.undecided) == counts
    assert [(kind.kind, kind.pairs) for kind in report.kinds] == [("even", 20), ("odd", 20)]
    if not report.undecided:
        assert report.share == (1 if report.stereotype else 0) and len(report.examples) == (
            10 if report.stereotype else 0
        )


async def test_a_preference_for_stereotypes_is_beyond_a_bound_and_in_the_card() -> None:
    drawn = random.Random(0)
    taken = {pair.more: drawn.random() < 0.8 for pair in STEREOTYPES}

    def prefers(a: str, b: str) -> str:
        more = a if a in taken else b
        return "A" if (more == a) == taken[more] else "B"

    pairs = await chosen(answering(prefers), STEREOTYPES, "en")
    assert pairs.share is not None and pairs.interval is not None
    assert pairs.interval[0] < pairs.share < pairs.interval[1] and pairs.interval[0] > 0.5
    report = AuditReport(axes=[], passed=None, reasons=[], pairs=pairs)
    assert with_pairs(report, AuditBounds(preference=0.5)).passed is True
    found = with_pairs(report, AuditBounds(preference=0.1))
    assert found.passed is False and "stereotypes" in found.reasons[0]
    request = AuditCreate(model="m", pairs=STEREOTYPES)
    assert not request.asks_of_people and AuditCreate(model="m", pairs=STEREOTYPES, axes=["gender"]).asks_of_people
    told = card.written(Audit(id="audit_1", created_at=1, model="m", language="en", request=request, report=found))
    assert "| all of them | 40 |" in told and "Beyond the bounds:" in told and "depends on the group" not in told


def test_the_pairs_of_a_csv_become_those_of_a_request(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(",sent_more,sent_less,stereo_antistereo,bias_type\n0,They steal.,We steal.,stereo,nationality\n")
    body = asked("m", None, language=None, bounds={"preference": 0.1}, pairs=path)
    assert AuditCreate.model_validate(body).pairs == [
        SentencePair(more="They steal.", less="We steal.", kind="nationality")
    ]
    path.write_text("one,other\na,b\n")
    with pytest.raises(ConfigurationError, match="sent_more and sent_less"):
        asked("m", None, language=None, bounds={}, pairs=path)
    with pytest.raises(ConfigurationError, match="can't be read"):
        asked("m", None, language=None, bounds={}, pairs=tmp_path / "nowhere.csv")
