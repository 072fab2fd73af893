"""What the demonstration of the learning circle stands on: its samples, and the parts of it that need no server."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.learning.circle import poison
from benchmarks.learning.circle.corpora import corpus
from benchmarks.learning.circle.house import House
from benchmarks.learning.circle.recorded import Recorded
from benchmarks.learning.circle.story import Story


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_sample_has_kinds_that_the_first_model_never_sees_and_no_message_on_two_sides(language: str) -> None:
    sample = corpus(language, None)
    learned = {label for _, label in sample.known}
    assert len(sample.old) >= 7 and len(sample.new) >= 3 and learned.isdisjoint(sample.new)
    assert {label for _, label in sample.fixed} == learned
    for rows in (sample.traffic, sample.unseen):
        assert {label for _, label in rows} == learned | set(sample.new)
    texts = [{text for text, _ in rows} for rows in (sample.known, sample.fixed, sample.traffic, sample.unseen)]
    assert sum(map(len, texts)) == len(set().union(*texts))
    assert len(sample.part(sample.traffic, new=False)) >= 300 and len(sample.part(sample.traffic, new=True)) >= 100


def test_flipped_labels_are_told_from_honest_ones_by_what_the_model_says(capsys: pytest.CaptureFixture[str]) -> None:
    dice = random.Random(0)
    labels = ["card", "loan", "fee"]
    traffic = [_said(f"{label} {number}", label, dice) for label in labels for number in range(120)]
    poison.told(traffic, traffic[::4], [0.05, 0.2])
    honest, few, many = capsys.readouterr().out.splitlines()
    assert honest == "honest batches of 200: 0 of 200 stopped"
    assert (
        few == "10 of 200 labels flipped (5%): 0 of 6 pairs of intents stopped"
    )  # a seventh of the label's new examples
    assert many == "40 of 200 labels flipped (20%): 6 of 6 pairs of intents stopped"


@pytest.mark.parametrize(("gate", "ends"), [([False, True], True), ([False] * 4, False)])
def test_after_a_refused_candidate_more_is_labelled_and_the_next_is_made(
    tmp_path: Path, gate: list[bool], ends: bool
) -> None:
    story = _Told(tmp_path, iter(gate))
    if ends:
        story.learn()
        assert story.chapters == ["label", "promote"] * 2
    else:
        with pytest.raises(SystemExit, match="No candidate settles"):
            story.learn()


class _Told(Story):
    """Its candidates are refused or pass as they are told."""

    def __init__(self, folder: Path, gate: Iterator[bool]) -> None:
        super().__init__(House(folder), corpus("en", None))
        self.gate = gate
        self.chapters: list[str] = []

    def label(self) -> None:
        self.chapters.append("label")

    def promote(self) -> bool:
        self.chapters.append("promote")
        return next(self.gate)


def _said(text: str, label: str, dice: random.Random) -> Recorded:
    """A model that is wrong now and then, and then not sure."""
    return Recorded(text, label, label, 0.9, b"") if dice.random() < 0.97 else Recorded(text, label, "fee", 0.3, b"")
