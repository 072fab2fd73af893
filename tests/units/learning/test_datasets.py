"""Versions of data sets: nobody's words are on both sides, what was held out stays so, equal logs make equal files."""

import random
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.harness.later import later
from zhuli.learning.datasets.conversions import of_feedback, of_thread
from zhuli.learning.datasets.examples import example_id, masked
from zhuli.learning.datasets.parts import Member, Part, replayed, split
from zhuli.types.learning.feedback import Correction, Feedback, FeedbackContext, FeedbackTarget, Review

with later:
    from zhuli.learning.datasets.building import build
    from zhuli.learning.datasets.differing import diff
    from zhuli.learning.datasets.near import near_pairs

REQUEST = {"validation_share": 0.3, "near": True, "weak": False, "seed": 1, "replay": None}

EXAMPLES = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 6), st.integers(0, 40), st.sampled_from("abc")), min_size=1, max_size=60
)
"""Thread, user (0: none), text, label."""


def line(change: str, text: str, label: str, **provenance: Any) -> str:
    record = {"text": text, "label": label}
    body = orjson.dumps({"record": record, "provenance": {"kind": "feedback", "id": "fb_1", **provenance}}).decode()
    return f"{change}\t{example_id(record)}\t{body}\n"


def built(folder: Path, lines: list[str], **request: Any) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    (folder / "entries.tsv").write_text("".join(lines))
    return build(folder, {**REQUEST, **request}, task="text_classification", mask=None)


def read(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(each) for each in path.read_bytes().splitlines()]


@settings(max_examples=40)
@given(first=EXAMPLES, more=EXAMPLES)
def test_no_thread_and_no_user_is_on_both_sides_and_what_is_held_out_stays(
    first: list[Any], more: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("version")

    def lines(given: list[Any]) -> list[str]:
        return [
            line(
                "add",
                f"text {text} of the many",
                label,
                id=f"fb_{index}",
                thread_id=f"t{thread}",
                user=f"u{user}" if user else None,
            )
            for index, (thread, user, text, label) in enumerate(given)
        ]

    one = built(folder, lines(first), near=False)
    manifest = read(folder / "manifest.jsonl")
    assert {kind for kind, _ in one["sources"]} <= {"feedback", "user"}
    assert {source for entry in manifest for source in map(tuple, entry["sources"])} == {
        source for source in one["sources"] if source[0] != "user"
    }
    assert built(folder, lines(first), near=False) == one
    (folder / "manifest.jsonl").rename(folder / "earlier.jsonl")
    built(folder, [*lines(first), *lines(more)], near=False)
    for entries in (manifest, read(folder / "manifest.jsonl")):
        sides: dict[str, set[Part]] = {}
        for entry in entries:
            for mark in (entry["thread"], *(f"user {user}" for user in entry["users"])):
                sides.setdefault(mark, set()).add(entry["part"])
        assert all(len(parts) == 1 for parts in sides.values())
    before = {entry["id"]: entry["part"] for entry in manifest}
    for entry in read(folder / "manifest.jsonl"):
        assert (before.get(entry["id"]), entry["part"]) != ("train", "validation")


def test_labels_have_the_same_share_in_both_parts_and_one_example_stays_in_training() -> None:
    members = [Member(f"e{index}", [], [label]) for index, label in enumerate("a" * 100 + "b" * 50 + "c")]
    parts = split(members, share=0.2, seed=0, earlier={})
    held = [member.labels[0] for member, part in zip(members, parts, strict=True) if part == "validation"]
    assert (held.count("a"), held.count("b"), held.count("c")) == (20, 10, 0)


def test_a_version_folds_the_log_and_says_what_it_left_out(tmp_path: Path) -> None:
    lines = [
        line("add", "Where is my card?", "card"),
        line("add", "where is  my CARD?", "card", id="fb_2"),
        line("add", "How do I pay my bill by the end of this month", "pay"),
        line("add", "How do I pay my bill by the end of this month?", "pay"),
        line("add", "Bye", "card"),
        line("add", "bye", "goodbye"),
        line("add", "gone", "card"),
        line("add", "weak", "card", kind="weak"),
        f"remove\t{example_id({'text': 'gone', 'label': 'card'})}\t\n",
    ]
    made = built(tmp_path, lines, validation_share=0)
    report = made["report"]
    assert [entry["label"] for entry in read(tmp_path / "train.jsonl")] == ["card", "pay", "goodbye"]
    assert read(tmp_path / "validation.jsonl") == []
    assert (report["duplicates"], report["near_duplicates"], report["contradictions"], report["weak_left_out"]) == (
        1,
        1,
        1,
        1,
    )
    assert set(made["sources"]) == {("feedback", "fb_1"), ("feedback", "fb_2")}


def test_a_diff_counts_what_was_added_removed_and_labelled_anew(tmp_path: Path) -> None:
    log = [line("add", f"{word} and nothing else", "a", thread_id=word) for word in ("one", "two", "three", "four")]
    built(tmp_path / "x", log, validation_share=0)
    relabelled = line("relabel", "two and nothing else", "b").split("\t", 2)
    relabelled[1] = log[1].split("\t")[1]
    removed = f"remove\t{log[0].split(chr(9))[1]}\t\n"
    built(tmp_path / "y", [*log, "\t".join(relabelled), removed, line("add", "five", "b")], validation_share=0)
    found = diff(tmp_path / "x" / "manifest.jsonl", tmp_path / "y" / "manifest.jsonl")
    assert {name: number for name, number in found["counts"].items() if name != "moved"} == {
        "added": 1,
        "removed": 1,
        "relabelled": 1,
        "same": 2,
    }
    assert found["relabelled"][0]["example"] == relabelled[1]
    assert found["labels"] == {"b": 2, "a": -2}


def test_replay_keeps_the_new_and_of_the_old_a_share_of_each_label() -> None:
    labels = [["a"]] * 80 + [["b"]] * 20 + [["c"]] * 10
    old = [True] * 100 + [False] * 10
    stay = replayed(labels, old, share=0.5, seed=0)
    assert all(stay[100:])
    assert (sum(stay[:80]), sum(stay[80:100])) == (8, 2)


def test_texts_that_are_nearly_the_same_are_found_among_many() -> None:
    words = [f"w{number}" for number in range(500)]
    order = random.Random(0)
    texts = [" ".join(order.sample(words, 12)) for _ in range(2_000)]
    copies = {order.randrange(2_000): None for _ in range(100)}
    changed = [texts[index][:-1] + "!" for index in copies]
    found = set(near_pairs([*texts, *changed]))
    wanted = {(index, 2_000 + place) for place, index in enumerate(copies)}
    assert len(wanted & found) >= 0.95 * len(wanted)
    assert not found - wanted


def test_masking_moves_the_places_of_what_is_marked() -> None:
    text = "I am Ann Lee at a@b.co in Oslo"
    record = {
        "text": text,
        "entities": [{"start": 5, "end": 12, "label": "who"}, {"start": 26, "end": 30, "label": "city"}],
    }
    assert text[26:30] == "Oslo"

    def mask(given: str) -> tuple[str, list[tuple[int, int, int]]]:
        return given.replace("Ann Lee", "[NAME]").replace("a@b.co", "[EMAIL]"), [(5, 12, 6), (16, 22, 7)]

    found = masked(record, mask)
    assert found["text"] == "I am [NAME] at [EMAIL] in Oslo"
    assert [found["text"][one["start"] : one["end"]] for one in found["entities"]] == ["[NAME]", "Oslo"]


def reviewed(state: str, **fields: Any) -> Feedback:
    correction = fields.pop("reviewed", None)
    given = Feedback(
        id="fb_1", created_at=1, target=FeedbackTarget(type="prediction", id="p"), **{"source": "end_user", **fields}
    )
    return given.reviewed(Review(id="r", reviewer="ann", state=state, correction=correction, at=1))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("feedback", "label"),
    [
        (reviewed("accepted", verdict="up"), "said"),
        (reviewed("accepted", verdict="down"), None),
        (reviewed("accepted", verdict="down", correction=Correction(label="mine")), "mine"),
        (reviewed("corrected", correction=Correction(label="mine"), reviewed=Correction(label="theirs")), "theirs"),
        (reviewed("rejected", correction=Correction(label="mine")), None),
        (reviewed("accepted", source="signal", signal="copied"), None),
        (reviewed("corrected", source="signal", signal="rephrased", reviewed=Correction(intent="theirs")), "theirs"),
    ],
)
def test_only_what_people_found_right_becomes_a_label(feedback: Feedback, label: str | None) -> None:
    context = FeedbackContext(input="Where?", output=[{"label": "said", "score": 0.5}])
    record = of_feedback("text_classification", feedback.model_copy(update={"context": context}))
    assert record == (None if label is None else {"text": "Where?", "label": label})


def test_a_conversation_is_an_example_up_to_its_last_answer() -> None:
    turns = [{"role": role, "content": role} for role in ("user", "assistant", "user")]
    assert of_thread(turns) == {"messages": turns[:2]}
    assert of_thread(turns[:1]) is None
    assert of_thread(turns[1:]) is None
