"""What agents ask back, told by their words: which slot a question is for. English and Chinese, no model."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from zhuli.applications.support.episodes import Ask

KINDS: Final[Mapping[str, tuple[str, re.Pattern[str]]]] = {
    "order_number": ("text", re.compile(r"(?i)\border (?:id|number|no\b)|订单号|订单编号")),
    "account_id": ("text", re.compile(r"(?i)\baccount (?:id|number)|账号|账户号?")),
    "username": ("text", re.compile(r"(?i)\buser ?name|用户名")),
    "email": ("email", re.compile(r"(?i)\be-?mail|邮箱|电子邮件")),
    "phone": ("phone", re.compile(r"(?i)\b(?:phone|telephone|mobile|contact) number|\byour (?:phone|mobile)|电话号码|手机号|"
        r"联系电话")),
    "name": ("text", re.compile(r"(?i)\b(?:your|full|first|last) (?:full )?name\b|姓名|您的名字|怎么称呼")),
    "address": ("text", re.compile(r"(?i)\baddress|地址")),
    "zip_code": ("text", re.compile(r"(?i)\b(?:zip|postal) ?code|邮编")),
    "membership": ("text", re.compile(r"(?i)\bmember(?:ship)? level|会员等级")),
    "reason": ("text", re.compile(r"(?i)\breason\b|原因")),
    "product": ("text", re.compile(r"(?i)\b(?:which|what) (?:product|item|brand|model)|商品|型号")),
    "date": ("date", re.compile(r"(?i)\b(?:what|which) (?:date|day)\b|\bwhen (?:do|would|did|are|will)\b|\bdate\b|哪天|日期|几号|"
        r"什么时候")),
    "time": ("time", re.compile(r"(?i)\bwhat time\b|\bat what time|几点|什么时间")),
    "people": ("number", re.compile(r"(?i)\bhow many (?:people|guests|seats|persons|tickets|passengers|adults)|几位|多少人|"
        r"几个人")),
    "city": ("text", re.compile(r"(?i)\b(?:what|which) (?:city|area|location|town|place)|\bwhere (?:do|would|are|will|should)|"
        r"哪个城市|哪里")),
    "amount": ("money", re.compile(r"(?i)\bhow much\b|\bamount\b|多少钱|金额")),
}  # fmt: skip

OFTEN = 0.3
"""Share of an intent's matters in which it must be asked for, to be one of its slots."""

_MOST_PROMPT = 160


def kind_of(question: str) -> str | None:
    """The slot that the question asks for; None where it is none that is known."""
    return next((name for name, (_, pattern) in KINDS.items() if pattern.search(question)), None)


def slots(asks: Iterable[Ask]) -> dict[str, dict[str, Any]]:
    """The slots that are asked for, each with its type, the commonest short question for it, and how often it was."""
    prompts: dict[str, Counter[str]] = defaultdict(Counter)
    for ask in asks:
        if (name := kind_of(ask.question)) is not None:
            prompts[name][last_sentence(ask.question)] += 1
    return {
        name: {"type": KINDS[name][0], "prompt": _best(said), "support": sum(said.values())}
        for name, said in prompts.items()
    }


def needed(matters: Sequence[Sequence[Ask]], *, least: int) -> list[str]:
    """What was asked for in enough of these matters, the most often asked first."""
    counts: Counter[str] = Counter()
    for asks in matters:
        counts.update({name for ask in asks if (name := kind_of(ask.question)) is not None})
    enough = max(least, OFTEN * len(matters))
    return sorted((name for name in counts if counts[name] >= enough), key=lambda name: (-counts[name], name))


def last_sentence(text: str) -> str:
    """The question itself, without what was said before it."""
    parts = [part.strip() for part in re.split(r"(?<=[.!?。！？])\s*", text) if part.strip()]
    return (parts[-1] if parts else text)[:_MOST_PROMPT].replace("{", "(").replace("}", ")")


def _best(said: Counter[str]) -> str:
    """The commonest; of those, the shortest."""
    return min(said, key=lambda text: (-said[text], len(text), text))
