"""What a message does beside naming things: its language, what it denies, corrects and refers to, yes and no."""

from datetime import UTC, datetime

import pytest

from zhuli.types.understanding.domain import Entity, EntityValue, Language
from zhuli.understanding.language.acts.dialogue_acts import act_of, correction, only_greets
from zhuli.understanding.language.acts.negation import with_negation
from zhuli.understanding.language.acts.references import references
from zhuli.understanding.language.acts.wanting import wanted
from zhuli.understanding.language.entity_extraction.entity_extraction import find_entities
from zhuli.understanding.language.languages import language_of

NOW = datetime(2026, 11, 23, 10, 5, tzinfo=UTC)
THINGS = [
    "Italian",
    "Thai",
    "Chinese",
    "Greek",
    "sushi",
    "onions",
    "meat",
    "川菜",
    "意大利菜",
    "寿司",
    "辣的",
    "香菜",
    "葱",
]
ENTITIES = [
    Entity(name="thing", kind="lookup", values=[EntityValue(value=thing) for thing in THINGS]),
    Entity(name="date", kind="date"),
    Entity(name="time", kind="time"),
    Entity(name="number", kind="number"),
]


@pytest.mark.parametrize(
    ("text", "before", "language"),
    [
        ("I'd like a table for two", None, "en"),
        ("你好", "en", "zh"),
        ("好", "en", "zh"),
        ("ok", "zh", "zh"),
        ("7pm", "zh", "zh"),
        ("thanks", "zh", "zh"),
        ("wifi", None, "en"),
        ("book a table", "zh", "en"),
        ("帮我订 Hilton 酒店", "en", "zh"),
        ("I want 火锅", "zh", "en"),
        ("please book 全聚德烤鸭店 for tomorrow", "zh", "en"),
        ("123 😀", "zh", "zh"),
        ("", None, None),
        ("こんにちは", "en", "en"),
        ("my mail is 张三@qq.com", None, "en"),
    ],
)
def test_the_language_is_that_of_the_sentence(text: str, before: Language | None, language: Language | None) -> None:
    assert language_of(text, ["en", "zh"], before) == language


def test_a_language_that_is_not_allowed_is_never_told() -> None:
    assert language_of("你好，我要订酒店", ["en"], None) is None
    assert language_of("你好，我要订酒店", ["en"], "en") == "en"
    assert language_of("hello my friend", ["zh"], "en") is None


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("not Italian", ["Italian"]),
        ("I don't want sushi", ["sushi"]),
        ("i dont want greek", ["greek"]),
        ("anything but Thai", ["Thai"]),
        ("no onions or meat", ["onions", "meat"]),
        ("Chinese without onions", ["onions"]),
        ("neither Thai, Greek nor Italian", ["Thai", "Greek", "Italian"]),
        ("not Italian, Chinese please", ["Italian"]),
        ("not Friday but Saturday", ["Friday"]),
        ("not italian i want thai", ["italian"]),
        ("Friday doesn't work, how about Saturday", ["Friday"]),
        ("Thai instead of Greek", ["Greek"]),
        ("No, not Friday", ["Friday"]),
        ("not at 7pm, at 8pm", ["7pm"]),
        ("I'm allergic to onions", ["onions"]),
        ("no, tomorrow", []),
        ("no tomorrow", []),
        ("why not Italian?", []),
        ("not only Italian but Thai", []),
        ("I'm not sure, Italian maybe", []),
        ("no later than 7pm", []),
        ("no problem, Thai is fine", []),
        ("I don't mind Thai", []),
        ("Don't you have Thai?", []),
        ("不要辣的", ["辣的"]),
        ("不是明天是后天", ["明天"]),
        ("别订周五", ["周五"]),
        ("不要香菜和葱", ["香菜", "葱"]),
        ("不要香菜、葱", ["香菜", "葱"]),
        ("不要周五，周六吧", ["周五"]),
        ("周五不行，周六可以", ["周五"]),
        ("不要川菜要意大利菜", ["川菜"]),
        ("除了川菜都可以", ["川菜"]),
        ("我对香菜过敏", ["香菜"]),
        ("周五不合适", ["周五"]),
        ("这香菜不合适，我要退货", []),
        ("my sushi doesn't work", []),
        ("要不要香菜", []),
        ("有没有川菜", []),
        ("是不是明天", []),
        ("不是周五吗", []),
        ("周五不行吗", []),
        ("不好意思，明天吧", []),
        ("别的川菜馆", []),
    ],
)
def test_what_is_denied_is_marked_and_nothing_else(text: str, denied: list[str]) -> None:
    entities = find_entities(text, ENTITIES, language=None, now=NOW)
    marked = with_negation(text, entities)
    assert [one.text for one in marked if one.negated] == denied
    assert [one.model_copy(update={"negated": False}) for one in marked] == entities


@pytest.mark.parametrize(
    ("text", "said", "about", "which"),
    [
        ("at the same time as before", "at the same time as before", "time", "same"),
        ("The Same Day!", "The Same Day", "date", "same"),
        ("same place as last time", "same place as last time", "place", "same"),
        ("book that hotel please", "that hotel", "place", "that"),
        ("I'd like that one", "that one", "thing", "that"),
        ("with the same doctor", "the same doctor", "person", "same"),
        ("the previous booking", "the previous booking", "thing", "last"),
        ("is there a hotel near there?", "near there", "place", "there"),
        ("same again please", "same again", "all", "same"),
        ("my usual please", "my usual", "all", "same"),
        ("同一天", "同一天", "date", "same"),
        ("同一个时间", "同一个时间", "time", "same"),
        ("还是那家", "还是那家", "place", "that"),
        ("我要上次那个", "上次那个", "thing", "last"),
        ("上次说的那家餐厅", "上次说的那家餐厅", "place", "last"),
        ("那里有什么好吃的", "那里", "place", "there"),
        ("这家酒店的电话", "这家酒店", "place", "that"),
        ("和上次一样", "和上次一样", "all", "same"),
        ("老样子", "老样子", "all", "same"),
    ],
)
def test_a_reference_says_what_kind_of_value_it_points_to(text: str, said: str, about: str, which: str) -> None:
    assert [(one.text, one.about, one.which) for one in references(text)] == [(said, about, which)]


@pytest.mark.parametrize(
    "text",
    [
        "there is a problem",
        "are there any",
        "hi there",
        "that sounds good",
        "那我要订",
        "那么多",
        "你们那里有停车场吗",
        "这天气真好",
    ],
)
def test_what_points_to_nothing_is_no_reference(text: str) -> None:
    assert references(text) == []


SAID = {
    "affirm": [
        *"yes|YEP!!|ok|um yes|yess|sure thing|yes please|Fine, do that.|sounds good|That works.|👍 yes".split("|"),
        *"Red Joan sounds good to me|Yes, that would be great. What's their address?|Yes and what is their number".split(
            "|"
        ),
        *"好的|可以|嗯|行啊|没问题|好的，谢谢|ＯＫ的|就这样吧|好的我要两张".split("|"),
    ],
    "deny": [
        *"no|nope|No thanks|nah|not right now|No, that's all|no, tomorrow|I don't want it|Actually, no".split("|"),
        *"don't book it|don't cancel|No can u make it at 19:00".split("|"),
        *"不|不用|不要了|不是，是周五|不对|不用了|没有了，谢谢".split("|"),
    ],
    "cancel": [
        *"cancel|please cancel the reservation|never mind|nvm|forget it|I changed my mind".split("|"),
        *"算了吧|取消预订|不订了|还是算了吧".split("|"),
    ],
    "handover": [
        *"I want to talk to a human|speak to an agent please|can I speak to someone|agent|get me a real person".split(
            "|"
        ),
        *"转人工|人工客服|我要找人工".split("|"),
    ],
    "correct": [
        *"I meant Tuesday|make it 5 instead|sorry, I meant Friday|应该是周二|改成明天|说错了，是三个人".split("|"),
    ],
}
NOTHING_SAID = [
    *"can I get it with rice|no onions please|how do I cancel my card|great restaurants nearby|a table for two".split(
        "|"
    ),
    *"right next to the station|no later than 7pm|Never mind the gap".split("|"),
    *"可以告诉我地址吗|行李寄存|好吃的餐馆|对面有什么|不辣的菜有吗|不要取消|有没有川菜|要一份披萨|😀||...".split("|"),
]


@pytest.mark.parametrize(("act", "text"), [(act, text) for act, texts in SAID.items() for text in texts])
def test_a_message_does_what_it_says(act: str, text: str) -> None:
    assert act_of(text) == act


@pytest.mark.parametrize("text", NOTHING_SAID)
def test_other_messages_do_nothing_by_themselves(text: str) -> None:
    assert act_of(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *"no, tomorrow|No I'd like it on March 13th.|actually 7|wait, not Friday|change it to 8pm|nope, two|no tomorrow".split(
            "|"
        ),
        *"No. Make it for four|Not Friday, Saturday|不对，明天|不是明天，是后天|不，周五|其实是三个人|还是周二吧|换成川菜".split(
            "|"
        ),
    ],
)
def test_a_correction_is_heard(text: str) -> None:
    assert correction(text)


@pytest.mark.parametrize(
    "text",
    [
        *"yes|no|No thanks|No, that's all|No, I don't need anything|No, what is their address?|no problem|tomorrow".split(
            "|"
        ),
        *"book a table|I'd like Friday|是的|不用了|不是|没有了|不好意思，请问|不客气|还是那家".split("|"),
    ],
)
def test_a_plain_answer_corrects_nothing(text: str) -> None:
    assert not correction(text)


@pytest.mark.parametrize("text", ["hi", "Hello there!", "Good evening :)", "你好", "您好，早上好！", "hey 👋"])
def test_a_greeting_only_greets(text: str) -> None:
    assert only_greets(text)


@pytest.mark.parametrize("text", ["", "hi, a table", "his name", "hello kitty", "你好吗", "早上八点", "晚上好冷"])
def test_what_says_more_does_not_only_greet(text: str) -> None:
    assert not only_greets(text)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("a taxi with a receipt", "receipt", True),
        ("and I need a receipt please", "receipt", True),
        ("no receipt please", "receipt", False),
        ("I don't need a receipt", "receipt", False),
        ("without receipt", "receipt", False),
        ("the receipt is wrong", "receipt", None),
        ("从天坛到故宫，要发票", "发票", True),
        ("请给我开一张发票", "发票", True),
        ("不要发票", "发票", False),
        ("不用给我开发票了", "发票", False),
        ("发票不用了", "发票", False),
        ("需要发票吗", "发票", None),
        ("发票抬头", "发票", None),
    ],
)
def test_what_is_named_may_be_wanted(text: str, name: str, expected: bool | None) -> None:
    start = text.index(name)
    assert wanted(text, start, start + len(name)) is expected


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("this is no use, get me an agent", "handover"),
        ("不用了，取消吧", "cancel"),
        ("I don't want to make the reservation right now", "cancel"),
    ],
)
def test_an_act_may_come_behind_something_else(text: str, act: str) -> None:
    assert act_of(text) == act
