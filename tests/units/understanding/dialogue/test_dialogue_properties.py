"""Whatever users say and whatever is read into it: nothing is raised, the state stays possible, and replays give the same.

What every message checks is in conversation.check.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.units.understanding.conversation import Conversation
from tests.units.understanding.dialogue_domains import CHINESE, ENGLISH
from zhuli.types.understanding.domain import DomainFields
from zhuli.understanding.dialogue.responses.state_prompt import state_prompt

_ENGLISH = [
    "yes", "no", "cancel", "no, tomorrow", "4", "40 people", "7pm", "from Monday to Friday", "not Friday", "the same day",
    "there", "the time should be 8", "thai, not italian", "a window and a highchair", "agent", "the second one", "", "???",
    "don't cancel", "actually make it 5", "yes, but on Friday", "the time", "what are your hours?", "20:30 tomorrow for 3",
    "hi, book a table and what are your hours?", "I don't want a window", "ok. also a taxi", "9" * 400, "🙂", "cancel the taxi",
]  # fmt: skip
_CHINESE = [
    "好的", "不对，是明天", "取消", "四个人", "晚上七点", "不要川菜", "同一天", "那里", "第二个", "转人工", "时间改成八点",
    "你好，我想订餐，另外你们几点开门？", "不是后天", "一百位", "。。。", "",
]  # fmt: skip


def meanings(domain: DomainFields) -> st.SearchStrategy[str]:
    names = [intent.name for intent in domain.intents]
    pair = st.lists(st.sampled_from(names), min_size=2, max_size=2, unique=True).map("|".join)
    return st.one_of(st.just(""), st.sampled_from(names), pair)


def turns(domain: DomainFields, texts: list[str]) -> st.SearchStrategy[list[tuple[str, str]]]:
    return st.lists(st.tuples(st.sampled_from(texts), meanings(domain)), max_size=10)


def talked(domain: DomainFields, language: str, said: list[tuple[str, str]]) -> list[object]:
    """All that came of it, without what a person's thread keeps silent about: that ends with being released."""
    talk = Conversation(domain, language="zh" if language == "zh" else "en")
    results: list[object] = []
    for text, meant in said:
        decision = talk.says(text, meant)
        assert decision.text or decision.act in ("call", "search", "talk")
        assert decision.act != "ask" or decision.slot == talk.asked
        state_prompt(domain, talk.state, decision)
        results += [decision, talk.state]
    return results


@settings(max_examples=15, deadline=None)
@given(turns(ENGLISH, [*_ENGLISH, *_CHINESE[:6]]))
def test_english_dialogues_stay_sound_and_are_the_same_again(said: list[tuple[str, str]]) -> None:
    assert talked(ENGLISH, "en", said) == talked(ENGLISH, "en", said)


@settings(max_examples=12, deadline=None)
@given(turns(CHINESE, [*_CHINESE, *_ENGLISH[:6]]))
def test_chinese_dialogues_stay_sound_and_are_the_same_again(said: list[tuple[str, str]]) -> None:
    assert talked(CHINESE, "zh", said) == talked(CHINESE, "zh", said)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=4))
def test_no_text_breaks_a_form(texts: list[str]) -> None:
    talk = Conversation(ENGLISH)
    talk.says("a table", "book")
    for text in texts:
        talk.says(text)
