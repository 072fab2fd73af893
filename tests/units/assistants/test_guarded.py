"""What is held back of an answer until it is judged: nobody sees what is blocked, however the model's pieces come."""

from collections.abc import AsyncGenerator

from hypothesis import given
from hypothesis import strategies as st

from zhuli.assistants.runs.guarded import LONGEST, RunGuards, ready
from zhuli.types.models.generation import Delta, ToolCallDelta
from zhuli.types.safety.guard import GuardDecision, GuardRules, Guards, Verdict

RULES = Guards(output=GuardRules(moderation="block", personal_data="mask"))
SENTENCES = st.sampled_from(
    [
        "Good day. ",
        "It is 3.5 metres. ",
        "BAD words here! ",
        "你好。",
        "这是BAD的话。",
        "no end ",
        "call 555\n",
        "x" * 700,
    ]
)


class WordJudge:
    """Blocks BAD, puts [N] for 555."""

    async def judge(self, project: str, text: str, rules: GuardRules, guards: Guards, *, before: str = "") -> Verdict:
        if "BAD" in before + text:
            return Verdict(text, "block", "No.", {"hate": 1.0})
        return Verdict(self.mask(text), "mask", "", {}, ("phone",)) if "555" in text else Verdict(text)

    def mask(self, text: str) -> str:
        return text.replace("555", "[N]")


async def pieces(texts: list[str], *last: Delta) -> AsyncGenerator[Delta, None]:
    for text in texts:
        yield Delta(text=text)
    for delta in last or (Delta(finish="stop"),):
        yield delta


async def shown(texts: list[str], *last: Delta) -> tuple[list[Delta], list[GuardDecision]]:
    noted: list[GuardDecision] = []

    async def note(decision: GuardDecision) -> None:
        noted.append(decision)

    guards = RunGuards(RULES, "project", WordJudge(), note, lambda: 0.0)
    return [delta async for delta in guards.of_output(pieces(texts, *last))], noted


@given(st.lists(SENTENCES, max_size=8), st.integers(1, 9))
async def test_what_is_blocked_is_never_shown_and_what_comes_before_it_is(sentences: list[str], size: int) -> None:
    text = "".join(sentences)
    deltas, _ = await shown([text[start : start + size] for start in range(0, len(text), size)])
    seen = "".join(delta.text for delta in deltas)
    assert "BAD" not in seen and "555" not in seen
    assert [delta.finish for delta in deltas if delta.finish] == ["stop"]
    refused = "".join(delta.refusal for delta in deltas)
    assert refused == ("No." if "BAD" in text else "")
    if not refused:
        assert seen == text.replace("555", "[N]")


async def test_a_sentence_is_shown_before_the_next_has_ended() -> None:
    deltas, _ = await shown(["One is done. And ", "two", " too."])
    assert [delta.text for delta in deltas if delta.text] == ["One is done.", " And two too."]


async def test_text_before_a_call_of_a_tool_is_judged_before_the_call() -> None:
    call = Delta(tool_calls=(ToolCallDelta(0, "call_1", "f", "{}"),))
    deltas, _ = await shown(["Let me look"], call, Delta(finish="tool_calls"))
    assert [(delta.text, bool(delta.tool_calls)) for delta in deltas][:2] == [("Let me look", False), ("", True)]
    deltas, noted = await shown(["BAD"], call, Delta(finish="tool_calls"))
    assert not any(delta.tool_calls for delta in deltas)
    assert [(one.where, one.action) for one in noted] == [("output", "block")]


def test_a_text_without_sentences_is_not_held_back_for_ever() -> None:
    assert ready("word " * 10) == 0
    assert 0 < ready("word " * LONGEST) <= 5 * LONGEST
    assert ready("x" * LONGEST) == LONGEST
    assert ready("It is 3.5 metres and Dr. ") == 0
    assert ready("好的。我") == 3
