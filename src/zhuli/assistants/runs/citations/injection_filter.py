"""Prompt injections in a passage: sentences that give orders to whoever answers from it, in English and Chinese. No model.

Small models do what they read. So what a model reads of a passage has a note in place of such sentences; what is stored,
shown and quoted is left whole. Instructions for people (recipes, manuals) are no such orders: a sentence is one only if it
overrides instructions, speaks to a model as a model, sets a role or a task for it, or says what its answer is to contain.

Not a wall: who knows the rules writes around them. docs/citations.md has what they find and what they take by mistake,
measured by benchmarks/knowledge/injections.py.
"""

import re
import unicodedata

from zhuli.assistants.runs.citations.sentences import split

NOTE = "[a sentence that gives orders was left out]"

_MODEL = r"(?:a\.?i\.?(?: (?:systems?|models?|assistants?|agents?))?|llms?|(?:large )?language models?|chat ?bots?|assistants?)"
_ANSWER = r"your (?:\w+ )?(?:answer|repl(?:y|ies)|responses?)"
_SPEAK = r"(?:say|reply|respond|answer|repeat)"
_WRITE = (
    r"(?:say|reply|respond|answer|repeat|output|print|write|type|echo|display|show|include|add|append|mention|insert|put|give|"
    r"state|begin|start|end|finish|close|integrate|modify|enhance|augment|replace|render|use|provide|make|tell|recommend|suggest|"
    r"convert|substitute|translate|encode|introduce|remove|combine|compose|craft|embed|attach|apply|link|incorporate|promote|"
    r"encourage|emphasi[sz]e|highlight|ensure|omit|deliver)"
)
_LEAD = r"(?:^|[.:;!?,\]>*]\s*|\b(?:please|kindly|must|should|shall|will|now|then|and|to|just|always|only|never)\s+)"
"""Where an English verb is an order rather than a report."""

_BEGINNING = r"(?:^|[.:;!?>]\s*|\b(?:please|kindly|must|should|just|always|now)\s+)"
"""The same for verbs that are more often a report."""

_GIVEN = r"(?:[\"'“‘「`][^\"'”’」`]{1,80}[\"'”’」`]|https?://|www\.|!\[|\b(?=\w*[A-Z]{2})[A-Z0-9_-]{4,}\b)"
"""A string to be said as it stands: in quotation marks, an address, an image, a word in capitals. Needs the case kept."""

_ENGLISH_RULES = [
    # What was said before is to be ignored.
    r"\b(?:ignore|disregard|forget|override|bypass|stop following|(?:do not|don't|no longer) follow)\b.{0,40}"
    r"\b(?:previous|prior|above|earlier|preceding|former|original|your|system)\b.{0,30}"
    r"\b(?:instructions?|prompts?|rules|guidelines|directions|orders|messages?|context|commands?)\b",
    r"\b(?:ignore|disregard|forget|override)\b.{0,12}\b(?:all|any|the)\b.{0,12}\b(?:instructions?|prompts?|guidelines)\b",
    r"\b(?:ignore|disregard|forget)\b (?:everything|anything|all|what)\b.{0,20}\b(?:you|above|before|said|told)\b",
    # A model is spoken to.
    rf"\b(?:if|when|since|because) you are an? (?:\w+ )?{_MODEL}\b",
    rf"\b(?:note|message|instructions?|notice|attention|warning|hint|dear|hey|hello)\b,?(?: to| for)?(?: (?:any|all|the|every))? "
    rf"{_MODEL}\b",
    rf"\byou are (?:now )?(?:an?|the|no longer an?) (?:\w+ ){{0,2}}{_MODEL}\b",
    rf"\b{_MODEL}\b.{{0,15}}\b(?:must|should|shall|has to|have to|is to|are to)\b.{{0,15}}\b{_WRITE}\b",
    # It gets a role or a task.
    r"^\W*(?:(?:now|please|let's),? )?(?:pretend|imagine) (?:to be|that you are|you are)\b",
    r"^\W*(?:(?:now|please),? )?(?:act|speak|behave|role-?play) as (?:if you|an?)\b",
    rf"\bfrom (?:now|here|this (?:point|moment)) on(?:wards?)?,? (?:you (?:will |must |shall |should |only |always |are to )*)?"
    rf"(?:{_SPEAK}|speak|act|behave|obey)\b",
    r"\b(?:your|the|user's) (?:new|real|actual|true|only) (?:tasks?|goal|instructions?|job|system prompt|requests?|orders?)"
    r"(?: (?:is|are)\b|\s*:)",
    # Its answer is prescribed.
    rf"{_LEAD}{_WRITE}\b.{{0,90}}\b{_ANSWER}\b",
    rf"\b{_ANSWER}\b.{{0,30}}\b(?:must|should|shall|has to)\b.{{0,20}}\b(?:{_WRITE}|be|contain|mention)\b",
    rf"^\W*(?:in|within|at the (?:end|start|beginning|top) of|before|after|throughout) {_ANSWER},? (?!you|we|i\b|it\b|there)\w",
    rf"\b(?:when|while|before|whenever|after) (?:you )?(?:answer|reply|respond)(?:ing)?\b.{{0,20}}(?:,|\byou\b).{{0,20}}"
    rf"\b{_WRITE}\b",
    r"\b(?:answer|reply|respond)\b.{0,12}\b(?:every|any|all|each)\b.{0,12}\b(?:question|quer|request|message)\w*\b.{0,12}"
    r"\b(?:with|by|in)\b",
    rf"{_LEAD}{_WRITE}\b.{{0,60}}\b(?:(?:and|or) (?:say )?nothing else|nothing but|no (?:other|further) (?:words?|text))\b",
    rf"{_LEAD}(?:only|solely) {_SPEAK}\b|{_LEAD}(?:reply|respond) (?:only|solely|exclusively)\b",
    rf"{_LEAD}{_SPEAK}\b (?:(?:only|solely|exclusively) )?with (?:only|just|nothing|the (?:word|code|phrase|text))\b",
    # A turn of another role begins.
    r"^\W*(?:system|assistant|developer)(?: (?:prompt|message|instructions?))?\s?: "
    rf"(?:you\b|your\b|ignore\b|from now\b|{_WRITE}\b)",
]  # fmt: skip

_CHINESE_RULES = [  # of normalised text, so punctuation is narrow
    r"(?:忽略|无视|忘记|忘掉|忘却|抛开|推翻|绕过|不要?再?(?:理会|遵守|遵循|听从)|停止(?:遵守|遵循|执行)).{0,10}"
    r"(?:之前|以前|以上|上述|上面|先前|前面|此前|原有|原来|所有|全部|一切|系统|你的).{0,12}"
    r"(?:指示|指令|提示|规则|要求|设定|命令|告诉|说过|约束|限制)",
    r"(?:如果|既然|因为|若)(?:你|您)是.{0,8}(?:人工智能|AI|语言模型|大模型|聊天机器人|机器人|智能助手|AI助手)",
    r"(?:致|告|给|提醒|请|各位|尊敬的|亲爱的).{0,12}(?:人工智能|AI|语言模型|大模型|聊天机器人|智能助手|助手|助理)[^,。]{0,10}[::,]",
    r"(?:人工智能|\bAI|语言模型|大模型|聊天机器人|助手|助理).{0,4}(?:必须|务必|应当|应该|需要|须).{0,8}"
    r"(?:回答|回复|回应|输出|打印|写出|说出|提到)",
    r"^\W*(?:现在|请)?,?(?:你|您)?(?:假装|扮演(?![著着了的过])|假设你是|想象你是)",
    r"从(?:现在|此刻|这里)(?:起|开始).{0,4}(?:你|您)(?:只|要|将|必须|应|是|都|对)",
    r"(?:新的?|真正的|实际的|唯一的?)(?:任务|指令|指示|要求|请求|系统提示|命令)(?:[::]|是|为)",
    r"(?:只能|只许|只可|仅可|仅能|只需?|仅|一律|永远只?|始终只?)(?:回答|回复|回应|输出|打印|说出)(?![了过着著])",
    r"(?:回答|回复|回应)(?:任何|所有|每个|每一个|一切)(?:问题|提问|消息|请求).{0,6}(?:时|都|须|必须|只)",
    r"(?:请|须|必须|务必|应当|应该|需要?|要|并)在?.{0,3}(?:你的|您的|每次|每个|任何|所有|本次)?(?:的)?(?:回答|回复|回应)(?:的)?"
    r"(?:末尾|最后|结尾|开头|前面|后面|中|里|时)[^。]{0,8}(?:加|附|写|插入|包含|提到|提及|显示|注明|放|说)",
]  # fmt: skip

_CASED_RULES = [
    # A given string is to be said. Where it might be typed into a machine, the verb is not enough.
    rf"(?i:{_BEGINNING}(?:reply|respond|repeat after me|say))\b(?i:,? (?:with|the (?:word|code|phrase|password)))?:?\s*{_GIVEN}",
    rf"(?:请|必须|务必|须|应当|应该|只能|:|^)(?:回答|回复|回应|输出|说出|念出|重复|写出)(?:[::]|这个词|暗号|密码|链接)?\s*{_GIVEN}",
]


def _any(rules: list[str], flags: int = 0) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{rule})" for rule in rules), flags)


_ENGLISH = _any(_ENGLISH_RULES, re.IGNORECASE)
_CHINESE = _any(_CHINESE_RULES, re.IGNORECASE)
_SAYING = _any(_CASED_RULES)

_HINTS = (
    "answer", "repl", "respon", "say", "repeat", "nothing", "no other", "no further", "ignore", "disregard", "forget", "override",
    "bypass", "follow", "assistant", "chat", "llm", "language model", "a.i", "ai ", "ai:", "ai,", "ai.", "ai-", "pretend",
    "imagine", "act as", "speak as", "behave as", "play as", "from now", "from here", "from this", "task", "goal", "instruction",
    "job", "prompt", "request", "order", "system", "developer",
)  # fmt: skip
"""An order in English has one of these at least. Looking for them first spares most sentences the rules."""

_HAN = re.compile("[⺀-鿿]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\U000e0000-\U000e007f]")
_ENDED = re.compile(r"[.。!！?？;；:：…][\"'”’」』）)】\]*_]*$")


def without_injections(text: str) -> str:
    """The text with NOTE where sentences stood that give orders; one note for several on end."""
    pieces: list[str] = []
    position = 0
    for start, end in _places(text):
        between = text[position:start]
        if pieces and not between.strip():
            position = end
            continue
        pieces += [between, NOTE]
        position = end
    return "".join([*pieces, text[position:]])


def is_injection(sentence: str) -> bool:
    """Whether a sentence speaks to a model and tells it what to do or to say."""
    plain = _plain(sentence)
    folded = plain.lower()
    if any(hint in folded for hint in _HINTS) and (_ENGLISH.search(plain) or _SAYING.search(plain)):
        return True
    return bool(_HAN.search(plain) and (_CHINESE.search(plain) or _SAYING.search(plain)))


def _places(text: str) -> list[tuple[int, int]]:
    """Where the sentences stand that give orders. A line that just breaks off is read with the next one, too."""
    found: list[tuple[int, int]] = []
    before: tuple[int, int] | None = None
    position = 0
    for sentence in split(text):
        start = text.index(sentence, position)
        position = start + len(sentence)
        if is_injection(sentence):
            found.append((start, position))
            before = None
        elif before and is_injection(text[before[0] : position]):
            found.append((before[0], position))
            before = None
        else:
            before = None if _ENDED.search(sentence) else (start, position)
    return found


def _plain(sentence: str) -> str:
    """Without what hides a word: invisible characters, other widths, line breaks."""
    shown = sentence if sentence.isascii() else unicodedata.normalize("NFKC", _INVISIBLE.sub("", sentence))
    return " ".join(shown.split())
