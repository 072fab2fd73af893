"""What people say that is no wish, and what can't be taken back: by the learned heads, in the domain that docs/domains.md prints.

Each test is of a kind, and its sentences are none that the heads were learned from.
"""

import re
import time
from pathlib import Path
from typing import Any

import openai
import pytest
from benchmarks.understanding.acts.sources import ours

from tests.harness.clients import Clients
from tests.harness.farm import Farm, Storage

PAGE = Path(__file__).parents[3] / "docs" / "domains.md"

LEARNING_SECONDS = 180.0

BANK = """
name: Bank
languages: [en, zh]
intents:
  block_card:
    description: Block a card
    examples: [block my card, my card was stolen, please freeze my debit card, 挂失我的卡, 把我的卡冻结]
    form: blocking
  pay:
    description: Send money
    examples: [send money to Ann, transfer fifty to my landlord, pay somebody, 转账给张三, 我要汇款]
    form: payment
  balance:
    description: The balance
    examples: [what is my balance, how much money do I have, show my account, 余额多少, 查一下余额]
    action: {call: get_balance}
entities: {payee: learned, amount: money}
slots:
  lost: {type: boolean, prompt: {en: Is the card lost?, zh: 卡丢了吗？}}
  payee: {type: text, mappings: [{entity: payee}, text], prompt: {en: Who is it for?, zh: 转给谁？}}
  amount: {type: number, mappings: [{entity: amount}], prompt: {en: How much?, zh: 多少钱？}}
forms:
  blocking: {slots: [lost], action: {call: block}}
  payment: {slots: [payee, amount], confirm: {en: "{amount} to {payee}?", zh: "给{payee}{amount}？"}, action: {call: pay}}
"""

CLINIC = """
name: Clinic
languages: [en, zh]
intents:
  visit:
    description: Book a visit
    examples: [I need an appointment, book a visit, can I see a doctor, 我要预约, 挂个号]
    form: visit
  renew:
    description: Order medicine again
    examples: [I need more of my pills, renew my prescription, order my medicine, 我要续药, 药吃完了]
    action: {call: renew}
  trip:
    description: Book a trip
    examples: ["a trip from [Rome](city#from) to [Paris](city#to)", "I want to fly", "from [Oslo](city#from)",
      "我要去[上海](city#to)", "[北京](city#from)出发", 帮我订机票]
    form: trip
entities:
  city: [Rome, Oslo, Paris, 广州, 上海, 北京]
  date: date
slots:
  first: {type: boolean, prompt: {en: Is it your first visit?, zh: 是第一次来吗？}}
  date: {type: date, prompt: {en: Which day?, zh: 哪天？}}
  from_city: {type: text, mappings: [{entity: city, role: from}], prompt: {en: From where?, zh: 从哪里出发？}}
  to_city: {type: text, mappings: [{entity: city, role: to}], prompt: {en: Where to?, zh: 去哪里？}}
forms:
  visit: {slots: [first, date], action: {call: book}}
  trip: {slots: [to_city, from_city], confirm: {en: "{from_city} {to_city}?", zh: "{from_city}{to_city}？"}, action: {call: fly}}
"""


@pytest.fixture
def storage() -> Storage:
    """Nothing is written."""
    return "sqlite"


@pytest.fixture(scope="module")
def saved() -> dict[str, str]:
    """The domains' ids: each is learned once."""
    return {}


class Talk:
    """Messages of one dialogue: each is asked with the state that the one before left."""

    def __init__(self, client: openai.OpenAI, domain: str) -> None:
        self._client, self._domain = client, domain
        self.state: dict[str, Any] | None = None

    def says(self, text: str) -> dict[str, Any]:
        """The decision."""
        body = {"domain": self._domain, "input": text} | ({"state": self.state} if self.state else {})
        answer: Any = self._client.post("/understandings", body=body, cast_to=object)
        self.state = answer["state"]
        return dict(answer["decision"])

    @property
    def slots(self) -> dict[str, Any]:
        assert self.state is not None
        return {name: one["value"] for name, one in self.state["slots"].items() if one["value"] is not None}

    @property
    def forms(self) -> list[str]:
        assert self.state is not None
        return [topic["form"] for topic in self.state["topics"]]


class Domains:
    def __init__(self, clients: Clients, farm: Farm, storage: Storage, saved: dict[str, str]) -> None:
        self._client, self._saved = clients.sdk(farm.shared(storage)), saved

    def talk(self, text: str) -> Talk:
        return Talk(self._client, self.saved(text))

    def tested(self, text: str, conversations: str) -> dict[str, Any]:
        """What POST /domains/{id}/test says of the conversations."""
        body = {"files": {"tests.yml": conversations}}
        found: Any = self._client.post(f"/domains/{self.saved(text)}/test", body=body, cast_to=object)
        return dict(found)

    def saved(self, text: str) -> str:
        if text not in self._saved:
            self._saved[text] = self._learned(text)
        return self._saved[text]

    def _learned(self, text: str) -> str:
        headers = {"content-type": "application/yaml"}
        made: Any = self._client.post("/domains", content=text.encode(), options={"headers": headers}, cast_to=object)
        report, deadline = made["report"], time.monotonic() + LEARNING_SECONDS
        while not report["learned"] and time.monotonic() < deadline:
            time.sleep(0.1)
            report = self._client.get(f"/domains/{made['id']}/report", cast_to=object)
        return str(made["id"])


@pytest.fixture
def domains(clients: Clients, farm: Farm, storage: Storage, saved: dict[str, str]) -> Domains:
    return Domains(clients, farm, storage, saved)


@pytest.fixture
def restaurant(domains: Domains) -> Talk:
    return domains.talk(on_the_page("name: Restaurant"))


def on_the_page(begin: str) -> str:
    """The YAML of docs/domains.md that begins so."""
    found = re.search(rf"```yaml\n({begin}.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def bank(domains: Domains) -> Talk:
    return domains.talk(BANK)


@pytest.fixture
def clinic(domains: Domains) -> Talk:
    return domains.talk(CLINIC)


SAID: set[str] = set()


def kind(*texts: str) -> pytest.MarkDecorator:
    """Sentences of one kind."""
    SAID.update(texts)
    return pytest.mark.parametrize("said", texts)


@kind(
    "who are you then",
    "and who am I chatting with?",
    "are you some kind of bot",
    "您是什么人",
    "你到底是谁",
    "是机器人在回我吗",
)
def test_who_asks_who_is_there_is_told(restaurant: Talk, said: str) -> None:
    decision = restaurant.says(said)
    assert decision["act"] == "respond" and ("assistant" in decision["text"] or "助理" in decision["text"])


@kind(
    "one moment please",
    "just a moment",
    "hold on please",
    "please wait a minute",
    "稍等一会儿",
    "请等我一下",
    "等我看一下",
)
def test_who_asks_to_wait_is_waited_for(restaurant: Talk, said: str) -> None:
    assert restaurant.says(said)["act"] == "respond"
    restaurant.state = None
    restaurant.says("a table tomorrow at 7 pm, please")
    decision = restaurant.says(said)
    assert decision["act"] == "ask" and restaurant.state and restaurant.state["asked"]["failed"] == 0


@kind("can you help me?", "could you help me out please", "I could use some help", "能帮个忙吗", "可以帮帮我吗")
def test_who_asks_for_help_is_told_what_there_is(restaurant: Talk, said: str) -> None:
    assert restaurant.says(said)["act"] == "respond"


@kind("thanks!", "thank you so much for that", "谢谢你啊", "非常感谢您", "bye then", "再见啦")
def test_thanks_and_goodbyes_hand_nobody_over(restaurant: Talk, said: str) -> None:
    assert restaurant.says(said)["act"] == "respond"


@kind("6 people", "two persons", "3 persons please", "六个人", "四位")
def test_a_number_of_people_is_no_call_for_a_person(restaurant: Talk, said: str) -> None:
    restaurant.says("I would like a table")
    decision = restaurant.says(said)
    assert decision["act"] == "ask" and decision["slot"] == "date" and restaurant.slots.get("people")


@kind("please let me speak with a person", "get me a human being please", "我想找人工客服", "帮我转一下人工")
def test_who_wants_a_person_gets_one_and_can_take_it_back(restaurant: Talk, said: str) -> None:
    assert restaurant.says(said)["act"] == "hand_over"
    assert restaurant.state and restaurant.state["handed_over"]
    restaurant.says("never mind" if said.isascii() else "算了")
    assert not restaurant.state["handed_over"]


@kind(
    "I don't want a table any longer",
    "we don't need it anymore, sorry",
    "I changed my mind after all",
    "我不想订位了",
    "改变主意了",
    "下次再说吧",
)
def test_who_does_not_want_it_any_more_leaves_the_form(restaurant: Talk, said: str) -> None:
    restaurant.says("a table for 4 please")
    assert restaurant.says(said)["act"] == "cancel" and restaurant.forms == []


@kind("go ahead and place it", "place the order", "y", "yup go for it", "确认下单", "好的下单吧", "可以，就这么订")
def test_many_words_say_yes_to_a_confirmation(restaurant: Talk, said: str) -> None:
    restaurant.says("a table for 4 tomorrow at 7 pm")
    assert restaurant.says(said)["act"] == "call"


@kind("it isn't", "that's not right", "不太对吧", "不是这样")
def test_many_words_say_no_to_a_confirmation(restaurant: Talk, said: str) -> None:
    restaurant.says("a table for 4 tomorrow at 7 pm")
    assert restaurant.says(said)["act"] == "confirm"


@kind(
    "please don't block my card",
    "you needn't freeze my debit card",
    "don't send any money to Ann",
    "先别挂失我的卡",
    "不用转账了",
)
def test_a_wish_that_is_negated_is_not_fulfilled(bank: Talk, said: str) -> None:
    decision = bank.says(said)
    assert decision["act"] == "respond" and bank.forms == []


@kind(
    "I don't know",
    "no clue",
    "hold on a second",
    "I told you already",
    "不知道",
    "我不清楚呀",
    "等我一下下",
    "刚才说过了",
    "let me ask my wife first",
    "hang on, I'll check the invoice",
    "等我一下我问问我妈",
    "我先看看通讯录",
)
def test_what_is_no_answer_is_no_payee(bank: Talk, said: str) -> None:
    bank.says("I want to send money")
    decision = bank.says(said)
    assert decision["act"] == "ask" and "payee" not in bank.slots


@kind("你好，我想订个位子", "hello, I would like a table please", "good evening! I'd like to book a table")
def test_a_greeting_before_a_wish_hides_nothing_of_it(restaurant: Talk, said: str) -> None:
    assert restaurant.says(said)["act"] == "ask" and restaurant.forms == ["booking"]


@kind("not my first visit", "I have been here before", "it isn't", "不是第一次", "以前来过")
def test_who_came_before_says_no_to_the_first_visit(clinic: Talk, said: str) -> None:
    clinic.says("I need an appointment")
    assert clinic.says(said)["slot"] == "date" and clinic.slots == {"first": False}


@kind("first time here", "never been there", "第一次来", "没来过")
def test_who_comes_for_the_first_time_says_yes_to_it(clinic: Talk, said: str) -> None:
    clinic.says("I need an appointment")
    assert clinic.says(said)["slot"] == "date" and clinic.slots == {"first": True}


@kind("不用续药", "don't renew my prescription please")
def test_a_call_that_is_not_wanted_is_not_done(clinic: Talk, said: str) -> None:
    assert clinic.says(said)["act"] == "respond"


@pytest.mark.parametrize(
    ("said", "begin", "end"),
    [("from Rome to Oslo", "Rome", "Oslo"), ("to Oslo from Rome", "Rome", "Oslo"), ("广州到上海", "广州", "上海")],
)
def test_two_values_of_a_kind_go_where_the_words_around_say(clinic: Talk, said: str, begin: str, end: str) -> None:
    clinic.says("I want to fly")
    assert clinic.says(said)["act"] == "confirm" and clinic.slots == {"from_city": begin, "to_city": end}


@pytest.mark.parametrize(
    ("said", "name"),
    [("my name is Ann", "Ann"), ("John please", "John"), ("my brother", "my brother"), ("给张三", "张三")],
)
def test_a_name_is_what_is_left_without_what_introduces_it(bank: Talk, said: str, name: str) -> None:
    bank.says("I want to send money")
    assert bank.says(said)["slot"] == "amount" and bank.slots == {"payee": name}


@pytest.mark.parametrize(("said", "amount"), [("two grand", 2000), ("1万2", 12000), ("两百五", 250)])
def test_an_amount_is_no_payee_where_that_is_known(bank: Talk, said: str, amount: int) -> None:
    bank.says("I want to send money")
    bank.says("Ann")
    assert bank.says(said)["act"] == "confirm" and bank.slots == {"payee": "Ann", "amount": amount}
    bank.says("说错了，是三百五")
    assert bank.slots == {"payee": "Ann", "amount": 350}


@kind(
    "you know what, forget it",
    "nah leave it, I'll do it later",
    "no need to send it any more",
    "我不转了",
    "先不转了",
    "下次再说吧",
)
def test_who_leaves_in_other_words_does_not_confirm(bank: Talk, said: str) -> None:
    bank.says("send fifty pounds to Ann")
    if bank.state and bank.state["asked"]["slot"] == "payee":
        bank.says("Ann")
    assert bank.says(said)["act"] == "cancel" and bank.forms == []


@pytest.mark.parametrize(
    ("said", "amount"), [("send him another 50", 50), ("send 70 more to her", 70), ("再给他转两百", 200)]
)
def test_him_and_her_are_who_was_spoken_of(bank: Talk, said: str, amount: int) -> None:
    bank.says("I want to send money")
    bank.says("Ann")
    bank.says("twenty")
    assert bank.says("yes")["act"] == "call"
    assert bank.says(said)["act"] == "confirm" and bank.slots == {"payee": "Ann", "amount": amount}


def test_the_conversations_on_the_page_go_as_it_says(domains: Domains) -> None:
    found = domains.tested(on_the_page("name: Restaurant"), on_the_page("now: "))
    assert (found["turns"], found["right"]) == (3, 3), found["differences"]


def test_most_sentences_of_these_tests_were_not_learned_from() -> None:
    learned = {one.text for one in ours()}
    assert len(SAID & learned) * 5 <= len(SAID)
