"""Sentences that name a group of people and say nothing bad: some to learn from, others to be tested on. Our own, CC0.

A head that learned from tweets and comments about groups takes the group's name for an offence (Dixon et al. 2018). So each group
stands in plain sentences that are learned as harmless; what is measured are other sentences, and other names for no group.
"""

from zhuli.safety.moderation.features import Language
from zhuli.safety.moderation.groups import CHINESE, ENGLISH

LEARNED: dict[Language, tuple[str, ...]] = {
    "en": (
        "Many {} live in our neighbourhood.",
        "The museum has an exhibition about the history of {}.",
        "We interviewed ten {} for the survey.",
        "This law protects {} from discrimination.",
        "My neighbours are {} and they are lovely.",
        "How many {} voted in the last election?",
        "The club is open to {} and everybody else.",
        "The book tells the lives of {} in the last century.",
        "Some of my best teachers were {}.",
        "Where can {} apply for a card?",
    ),
    "zh": (
        "我们小区住着很多{}。",
        "博物馆有一个关于{}历史的展览。",
        "我们为这项调查采访了十位{}。",
        "这部法律保护{}不受歧视。",
        "我的邻居是{}，他们人很好。",
        "上次选举有多少{}投了票？",
        "俱乐部欢迎{}和所有人。",
        "这本书讲述了上个世纪{}的生活。",
        "我的好几位老师都是{}。",
        "{}在哪里可以申请办卡？",
    ),
}

TESTED: dict[Language, tuple[str, ...]] = {
    "en": (
        "The city council met with {} on Tuesday.",
        "I read an article about {} in the newspaper today.",
        "There are several {} in my class.",
        "What holidays do {} celebrate?",
        "The clinic offers free check-ups for {}.",
        "Our new colleagues are {}, and we get along well.",
        "She wrote a song about {}.",
        "Is there a group for {} in this town?",
    ),
    "zh": (
        "市政府周二会见了{}代表。",
        "今天在报纸上看到一篇关于{}的文章。",
        "我们班上有几个{}。",
        "{}过什么节日？",
        "诊所为{}提供免费体检。",
        "新同事是{}，大家相处得很好。",
        "她写了一首关于{}的歌。",
        "这个城市有{}的社团吗？",
    ),
}

GROUPS: dict[Language, tuple[str, ...]] = {"en": ENGLISH, "zh": CHINESE}


def learned(language: Language) -> list[str]:
    """All groups in all sentences that are learned from."""
    return [sentence.format(group) for sentence in LEARNED[language] for group in GROUPS[language]]


def tested(language: Language) -> dict[str, list[str]]:
    """The sentences that are measured, by group."""
    return {group: [sentence.format(group) for sentence in TESTED[language]] for group in GROUPS[language]}
