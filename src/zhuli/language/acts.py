"""What a message does as a whole, by its words: says yes or no, leaves, corrects, asks for a person. English and Chinese.

A yes or no counts at the beginning of a message, whatever follows ("Yes, and what's the address?"), other acts where they are said
plainly. Precise rather than complete: "can I get it with rice" is no yes, "no onions" no no, "how do I cancel my card" does not
cancel. What an act answers is for who knows the dialogue to say.
"""

import re
from typing import Literal

from zhuli.language.plain_text import plain
from zhuli.types.domain import Language

Said = Literal["affirm", "deny", "cancel", "correct", "handover"]

_FILLERS = re.compile(
    r"^(?:[\s,.!?…:;\"'()\-]|[^\w\s]|\b(?:um+|uh+|uhm|erm?|hm+|hmm+|well|oh|ah|so|ok so|hey|hi|hello|please|嗯+|呃+|额|啊|哦|噢|唉|那个,|那,|嘿|喂)(?![a-z]))+"
)
_END = r"(?= *(?:$|[.,!?;:~)\-]|[^\x00-\x7f]|(?:please|pls|plz|thanks|thank|thx|and|but|i|i'?m|i'?d|it|it'?s|that|that'?s|this|the|you|we|let'?s|go|do|book|make|sure|sir|"
_END_YES = _END + r"ma'?am|also|can|could|what|how|when|where|which|will|now|proceed|confirm|absolutely|definitely|of|for|a|an|my|just|is|sounds?|works?|great|good|fine|correct|right)\b))"
_YES = re.compile(
    r"(?:yes|yeah|yea|yep|yup|yess+|yh|ye|ya|yas|yess?ir|aye|sure(?: thing)?|ok|okay|okey|okie|kk?|okk+|oki|alright|all right|absolutely|definitely|certainly|of course|"
    r"indeed|affirmative|exactly|correct|right|perfect|great|fine|cool|awesome|excellent|wonderful|lovely|sounds (?:good|great|fine|ok|okay|perfect|right|like a plan)|"
    r"looks (?:good|great|right|fine)|works for me|go (?:ahead|for it)|please do|do (?:it|that)|book it|confirm(?:ed)?|i (?:confirm|agree|do|guess so|think so|am)|"
    r"i'?m (?:sure|ok with (?:it|that)|fine with (?:it|that))|why not|no problem|(?:that'?s|that is|this is|it'?s|it is|that|this|it|that'?d be|that would be|that will be|that'?ll be)"
    r"(?: (?:is|all|sounds|looks|works|seems|just|absolutely|totally|very))? (?:correct|right|fine|good|great|perfect|ok|okay|true|it|wonderful|nice|lovely|excellent|for me))"
    + _END_YES,
    re.ASCII,
)
_NO = re.compile(
    r"(?:actually,? )?(?:no(?! (?:problem|worries|matter|rush|idea|one|later|more|less|preference|need to worry))|nope|nah|naw|nay|negative|never|not (?:really|now|yet|right now|today|at all|at the moment|at this (?:time|moment)|"
    r"just now|any ?more|interested|necessary|correct|right|quite|exactly|that one|this time|for now|really|sure)|no way|noo+|wrong|incorrect|absolutely not|"
    r"(?:please )?do(?:n'?t| not)(?! (?:mind|forget|worry|know|you|have|see|understand|hesitate))|i do(?:n'?t| not)(?! (?:mind|know|have|see|understand|care))|"
    r"i'?d rather not|i (?:would not|wouldn'?t)|(?:that'?s|that is|this is|it'?s|it is) (?:not (?:correct|right|it|what|good|ok|okay|true)|wrong|incorrect|all\b)|nothing(?: else)?(?= *(?:$|[.,!])))"
    r"(?= *(?:$|[.,!?;:~)\-]|[^\x00-\x7f]|(?:no|not|thanks|thank|thx|thnks|ty|please|i|i'?m|i'?d|i'?ll|it|it'?s|that|that'?s|thats|this|the|you|we|let'?s|lets|actually|sorry|wait|make|"
    r"change|can|could|do|don'?t|dont|for|on|at|in|my|a|an|just|but|and|never|nothing|none|want|need|book|rent|today|tomorrow|tonight|monday|tuesday|wednesday|thursday|friday|saturday|sunday|"
    r"next|one|two|three|four|five|six|seven|eight|nine|ten|[0-9]+\S*|by|with|to|is|was|really|right|only|what|how|when|where|he|she|they|them|him|her|time|sir|ma'?am|way|cancel|wrong|purchase|buy|"
    r"reserve|work|go|try|change|of)\b))",
    re.ASCII,
)
_BREAK = "(?= *(?:$|[,.!?;:~、)…\\-]|[^\\w\\s]))"
_MOOD = "[的啊呀吧哦噢呢哈嘛了啦哟滴哒呗]{0,2}"
_YES_ZH = re.compile(
    f"(?:(?:是|对|好|行|可以|没错|没问题|当然(?:可以)?|嗯+|恩+|确定|确认|正确|同意|成|中|要|需要|想|有|能|会|ok|okay|yes|就(?:这样|这么(?:定|办)|它|是|这个|按这个)|"
    f"那就这样|挺好|很好|太好|不错|非常好|可|得|必须|肯定|麻烦(?:你|您)?|订吧|定吧|就订这个){_MOOD}){{1,3}}{_BREAK}|(?:好的|是的|对的|好啊|好呀|嗯嗯|没错|没问题)(?=[我你您请那就谢麻帮再它这订])"
)
_NO_ZH = re.compile(
    f"(?:不(?:是|对|行|要|用|需要|可以|想|好|了|必|成|同意|正确|确定|打算|准确|太行|太对|合适|需|能|会)?|没有?|没了|错了?|否|别|算了不|不用谢谢|先不|暂时不|暂不|no|nope)(?:的|啊|呀|吧|了|哦|呢|啦|谢谢|谢|要|用|需要)*{_BREAK}"
    "|不是(?=[我你这那周星明今后前昨上下早晚]|[0-9一二三四五六七八九十])|(?:不要|不用|不需要|不想)(?:了|谢|订|定|预订|这个|这家|那个)|别(?:订|定|预订|买|下单)|不对"
)
_CANCEL = re.compile(
    r"^(?:please |can you |could you |just |no,? |actually,? |i (?:want|need|would like|'?d like) to |let'?s |i'?ll |i think i'?ll )*(?:"
    r"(?:cancel|abort|quit|exit|stop|nevermind|never ?mind|nvm|forget (?:it|about it|that|this)|forget the whole thing|drop it|scrap (?:it|that)|leave it|start over|skip it)"
    r"(?: (?:it|that|this|everything|all|please|the (?:booking|reservation|order|request|whole thing)))*)(?= *(?:$|[.,!?;]|please|thanks|thank|then|i\b))|"
    r"\b(?:never ?mind|nvm|forget (?:about )?it)\b|\b(?:changed my mind,? )?(?:i )?(?:do not|don'?t|dont) want (?:it|this|that|to (?:do|book|order|reserve|continue|go on|proceed)[^,.;!?]{0,20}) ?"
    r"(?:any ?more|any longer)|\bchanged my mind\b *[.!]?$",
    re.ASCII,
)
_CANCEL_ZH = re.compile(
    f"^(?:请|帮我|那就?|还是|我想|我要|麻烦|不|那|先)*(?:取消(?:吧|掉|了|这个|本次|预订|预定|订单|操作|一下)*|算了{_MOOD}|不(?:订|定|买|弄|办|预订|预定|做)了{_MOOD}|退出|停止|终止|结束|作罢|当我没说)"
    f"(?:谢谢|吧|了)*{_BREAK}|(?:还是|那就?|,|了)算了{_MOOD}{_BREAK}|当我没说"
)
_PERSON = (
    r"(?:(?:a |an |some ?one |the |your |another |real |live |actual |human ?|customer (?:service|support|care) ?)*(?:human|agent|representative|rep|operator|person|people|supervisor|manager|"
    r"adviser|advisor|customer (?:service|support|care)|staff member|support team|someone real|somebody real|human being))"
)
_HANDOVER = re.compile(
    rf"\b(?:talk|speak|chat|connect|transfer|put|hand|pass|escalate|forward|switch|redirect|get)(?: (?:me|this|us))?(?: (?:to|with|through|over|on))+ {_PERSON}\b|"
    rf"\b(?:get|give|want|need|find|bring) (?:me )?(?:a |an |some )?(?:(?:real|live|human|actual) (?:human|agent|person|representative|rep|operator|being)|human|operator|representative)\b|"
    rf"^\W*(?:(?:i want |i need )?(?:a |an )?(?:real |live |human )?(?:human|agent|representative|operator|real person)(?: please| now)?)\W*$|\bis (?:this|that) a (?:bot|robot)\b.*\b(?:person|human)\b|"
    rf"\bcan (?:i|you) (?:talk|speak) to (?:some(?:one|body)|a person)\b|\b(?:i want|i'?d like|let me) (?:to )?(?:talk|speak) (?:to|with) (?:some(?:one|body)|{_PERSON})\b",
    re.ASCII,
)
_HANDOVER_ZH = re.compile(
    "转(?:接)?(?:到|给|成)?(?:人工|客服|真人|坐席|专员)|(?:人工|真人)(?:客服|服务|坐席)?(?=[,.!?~]|$|吧|谢谢|在吗|呢)|(?:找|要|叫|换|联系|接|连)(?:一下|个|一个|你们|你们的|下)*(?:人工|真人|客服|专员|活人|经理|主管)|"
    "(?:我想|我要|想|能|让我|可以)(?:跟|和|与)(?:真人|人工|活人|客服|一个人|人)(?:客服)?(?:说|聊|谈|沟通|讲|对话)|不(?:要|想)(?:跟|和)?机器人"
)
_NOT_WANTED = re.compile(r"\b(?:do not|don'?t|dont|no need to|not|how (?:do|can|to)|can i|what if i|if i)\b[^,.;!?]{0,12}$|(?:不要|别|不想|怎么|如何|能不能|可以|不用)$")
_MEANT = re.compile(
    r"\b(?:i|we) (?:meant|mean|said|was talking about)\b|\bactually\b|\binstead\b|\b(?:correction|scratch that|my (?:mistake|bad)|typo)\b|\bi (?:made a|misspoke|mistyped|was wrong)\b|"
    r"\bon second thou?gh?ts?\b|\bchanged? my mind\b|\bchange of plans?\b|\b(?:change|make|switch|move|update|correct|push|shift) (?:it|that|this|the \w+(?: \w+)?|my \w+) (?:to|for|at|into|from|on)?\b|"
    r"\b(?:make|let'?s make) (?:it|that)\b|\b(?:should|supposed to|need to|needs to) be\b|\b(?:wait|sorry|oops|whoops),? (?:no|not|i|make|it|that|on|for|at|the|[0-9])|\brather than\b|"
    r"\bnot [^,.;!?]{1,30}(?:,| but) (?!(?:please|thanks|i|is|so|and|or|just)\b)\w|\b(?:that'?s|it'?s|that is|this is|is) (?:wrong|incorrect|not right|not correct|not what)\b",
    re.ASCII,
)
_MEANT_ZH = re.compile(
    "不对|说错|搞错|弄错|写错|打错|记错|错了|口误|更正|纠正|应该?是|其实|改[成为到一]|改下|换[成为到]|换一?[个家下]|我(?:是说|说的是|的意思是|指的是|要的是)|(?<!是)不是[^,.;!?吗]{1,12}[,.]?(?:而?是|要)|"
    "(?:等等|等一下|等下|抱歉|不好意思|对不起),? ?(?:不|是|我|应|改|换)|还是[^,.!?]{1,12}(?:吧|好了|算了)|(?<!是)不是,|^(?:不|不是|不不)(?:[,.!] ?(?!不|谢|没)|(?=[周明后今下]|星期|[0-9一二三四五六七八九十]))[^,.!? 的啊了]"
)
_NO_THEN = re.compile(
    r"^(?:no+|nope|nah|nay|wait|sorry)\b[,.!;:\- ]*(?:no\b[,.!;\- ]*)?(?P<rest>.+)$", re.ASCII | re.DOTALL
)
_NOTHING_NEW = re.compile(
    r"(?:thank|thanks|thx|ty\b|that'?s (?:all|it|fine|ok|okay|everything|good|enough|correct)|that (?:is|will be|would be|was) (?:all|it|everything|fine|enough)|that'?ll be|thats|it'?s (?:all|ok|fine)|"
    r"i'?m (?:good|fine|ok|okay|all|done|set|not)|i am (?:good|fine|all|done|set|not)|i (?:do(?:n'?t| not)|think|have|guess|got|just wanted)|nothing|not|never|no\b|do(?:n'?t| not)|what|who|how|when|where|"
    r"which|why|is|are|does|do you|can you (?:tell|give|show)|problem|worries|need|way|preference|idea|bye|all (?:good|set|done)|nevermind|cancel|onions?|one|later|more|less|please(?: do)?n'?t)\b",
    re.ASCII,
)


def act_of(text: str, language: Language | None) -> Said | None:
    """What the message does, the weightiest if it does several: fetch a person, leave, no, yes, or else only correct.

    "No, tomorrow" is a no that corrects: see correction(). Both languages are read, whatever the message's.
    """
    read = plain(text)
    if _plainly(_HANDOVER, read) or _plainly(_HANDOVER_ZH, read):
        return "handover"
    said = _FILLERS.sub("", read, count=1) or read.strip(" ,.!…")
    if _plainly(_CANCEL, said) or _plainly(_CANCEL_ZH, said):
        return "cancel"
    if _NO.match(said) or _NO_ZH.match(said):
        return "deny"
    if _YES.match(said) or _YES_ZH.match(said):
        return "affirm"
    return "correct" if correction(text, language) else None


def correction(text: str, language: Language | None) -> bool:
    """Whether the message takes back something that was said or supposed, and puts something else: "no, tomorrow", 应该是周五."""
    read = plain(text)
    if _MEANT.search(read) or _MEANT_ZH.search(_FILLERS.sub("", read, count=1)):
        return True
    then = _NO_THEN.match(_FILLERS.sub("", read, count=1))
    if then is None:
        return False
    return bool(re.search(r"\w", then["rest"])) and not _NOTHING_NEW.match(then["rest"])


def _plainly(pattern: re.Pattern[str], read: str) -> bool:
    """Whether it is said, and not denied or only asked about."""
    return any(not _NOT_WANTED.search(read[: match.start()]) for match in pattern.finditer(read))
