"""English words for yes, no, leaving, correcting and asking for a person: patterns of plain text.

`acts` says how they are used.
"""

import re


def _one_of(*alternatives: str) -> str:
    return f"(?:{'|'.join(alternatives)})"


def _ahead(*words: str) -> str:
    """The message or its sentence ends here, or one of the words follows."""
    return rf"(?= *(?:$|[.,!?;:~)\-]|[^\x00-\x7f]|{_one_of(*words)}\b))"


_IT = r"(?:that'?s|that is|this is|it'?s|it is|that|this|it|that'?d be|that would be|that will be|that'?ll be)"
_GOOD = "(?:good|great|perfect|fine|lovely|nice|ok|okay|wonderful|excellent)"
_HOW = "(?:really |very |all |just |so |absolutely |totally |like a |a )*"

GREETING = (
    r"(?:hi|hello|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day))(?: (?:there|everyone|all|again))?\b"
)

YES = re.compile(
    _one_of(
        r"(?:yes+|yeah|yea|yep|yup|yess?ir)\b|y(?=\W*$)",
        _one_of(
            "yh|ye|ya|yas|aye|kk?|okk+|oki|ok|okay|okey|okie|alright|all right|sure(?: thing)?|indeed|affirmative|exactly",
            "absolutely|definitely|certainly|of course|why not|no problem|correct|right|perfect|great|fine|cool|awesome",
            "nice|excellent|wonderful|lovely|go (?:ahead|for it)|please do|do (?:it|that)|book it|confirm(?:ed)?",
            r"i (?:confirm|agree|do|sure do|guess so|think so|am)|i'?m (?:sure|(?:ok|fine) with (?:it|that))|works for me",
            rf"(?:sounds|looks) (?:{_GOOD}|right|like a plan)",
            r"(?:that|this|it)(?: one)? (?:(?:should|will|would|'ll) )?(?:works?|do|does)|that'll (?:work|do)",
            rf"{_IT}(?: (?:is|all|sounds|looks|works|seems|just|absolutely|totally|very))? "
            rf"(?:{_GOOD}|correct|right|true|it|for me)",
        )
        + _ahead(
            "please|pls|plz|thanks|thank|thx|and|but|i|i'?m|i'?d|it|it'?s|that|that'?s|this|the|you|we|let'?s|go|do|book",
            "yes|yeah|yep|yup|ok|okay|make|sure|sir|ma'?am|also|can|could|what|how|when|where|which|will|now|proceed|confirm|absolutely|definitely",
            "of|for|a|an|my|just|is|sounds?|works?|great|good|fine|correct|right|with|to",
        ),
    ),
    re.ASCII,
)
"""At the beginning of a message. Words that also describe ("great restaurants") need a pause or a new clause behind them."""

PRAISE = re.compile(
    r"^(?!.*(?:\bnot\b|n't\b|\bno\b|\bif\b|\bwhat\b|\bhow\b|\bwhich\b|\bbut\b|\?))"
    rf"[^,.!;]{{0,40}}\b(?:sounds?|is|looks?|'s) {_HOW}{_GOOD}(?: (?:to|for|with) (?:me|us)| choice| idea)?(?= *(?:$|[.,!]))",
    re.ASCII,
)
"""Of what was offered: "Red Joan sounds good to me"."""

NO = re.compile(
    r"(?:actually,? )?"
    + _one_of(
        r"no(?! (?:problem|worries|matter|rush|idea|one|later|more|less|preference|need to worry))|noo+|no way",
        r"n(?=\W*$)|nope|nah|naw|nay|negative|never|wrong|incorrect|absolutely not|i'?d rather not|i (?:would not|wouldn'?t)",
        "not (?:really|now|yet|right now|today|at all|just now|any ?more|interested|necessary|correct|right|quite|exactly)",
        "not (?:at (?:the|this) (?:moment|time)|that one|this time|for now|sure)",
        r"(?:please )?do(?:n'?t| not)(?! (?:mind|forget|worry|know|you|have|see|understand|hesitate))",
        r"i do(?:n'?t| not)(?! (?:mind|know|have|see|understand|care))",
        rf"(?:that'?s|that is|this is|it'?s|it is) (?:not (?:{_GOOD}|correct|right|it|what|true)|wrong|incorrect|all\b)",
        r"that(?: will|'ll| would)? be all|thats all|nothing(?: else)?(?= *(?:$|[.,!]))",
    )
    + _ahead(
        "no|not|thanks|thank|thx|thnks|ty|please|i|i'?m|i'?d|i'?ll|it|it'?s|that|that'?s|thats|this|the|you|we|let'?s|lets",
        "actually|sorry|wait|make|change|can|could|do|don'?t|dont|for|on|at|in|my|a|an|just|but|and|never|nothing|none|want",
        "need|book|rent|today|tomorrow|tonight|(?:mon|tues|wednes|thurs|fri|satur|sun)day|next|one|two|three|four|five|six",
        r"seven|eight|nine|ten|[0-9]+\S*|by|with|to|is|was|really|right|only|what|how|when|where|he|she|they|them|him|her",
        "time|sir|ma'?am|way|cancel|wrong|purchase|buy|reserve|work|go|try|of",
    ),
    re.ASCII,
)
"""At the beginning of a message. Words of another clause may follow, but not what there is to be none of ("no onions")."""

_WISH = (
    r"(?:please |can you |could you |just |no,? |actually,? |i (?:want|need|would like|'?d like) to |let'?s |i'?ll |"
    r"i think i'?ll )*"
)
CANCEL = re.compile(
    _one_of(
        rf"^{_WISH}(?:cancel|abort|quit|exit|stop|never ?mind|nvm|forget (?:it|about it|that|this|the whole thing)|drop it|"
        r"scrap (?:it|that)|leave it|start over|skip it)"
        r"(?: (?:it|that|this|everything|all|please|the (?:booking|reservation|order|request|whole thing)))*"
        r"(?= *(?:$|[.,!?;]|(?:please|thanks|thank|then|i)\b))(?! *[,;.] *(?:make|change|book|do)\b)",
        r"\b(?:never ?mind|nvm|forget (?:about )?it)\b(?= *(?:$|[.!;] *$|[,.!]? *(?:thanks|thank|bye|then)\b))",
        r"(?:^|[,.!?] *)(?:you know what|nah|no|nope|oh|ok|okay|well|actually|right|so|fine|sorry|just|then|,| )*"
        r"(?:forget (?:about )?it|never ?mind|nvm|scrap (?:it|that|this)|"
        r"drop it|leave it(?! (?:at|as|with|on|by|to|there)\b))(?= *(?:$|[,.!;]))"
        r"(?! *[,;.!]* *(?:just |please |let'?s |can you |i(?:'?d like| want| need| meant) )*"
        r"(?:make|change|book|do|use|send|put|take|it'?s|go with)\b)",
        r"\bno (?:longer )?need (?:to \w+|for) (?:it|that|this|them|one|(?:my|the) \w+)(?: any ?more)?(?= *(?:$|[,.!;]))",
        r"\bi (?:do not|don'?t|dont) want (?:it|this|that|to (?:do|book|order|reserve|continue|go on|proceed)[^,.;!?]{0,20}) ?"
        r"any ?(?:more|longer)",
        r"\bi (?:do not|don'?t|dont) want to (?:make|book|order|reserve|do) [^,.;!?]{2,24} (?:right now|at the moment|yet)\b",
        r"\bchanged my mind\b *[.!]?$",
    ),
    re.ASCII,
)

_PERSON = (
    r"(?:(?:a |an |some ?one |the |your |another |real |live |actual |human ?|customer (?:service|support|care) ?)*"
    r"(?:human|agent|representative|rep|operator|person|people|supervisor|manager|advis[eo]r|customer (?:service|support|care)|"
    r"staff member|support team|(?:someone|somebody) real|human being))"
)
HANDOVER = re.compile(
    _one_of(
        r"\b(?:talk|speak|chat|connect|transfer|put|hand|pass|escalate|forward|switch|redirect|get)(?: (?:me|this|us))?"
        rf"(?: (?:to|with|through|over|on))+ {_PERSON}\b",
        r"\b(?:get|give|want|need|find|bring) (?:me )?(?:a |an |some )?(?:(?:real|live|human|actual) "
        r"(?:human|agent|person|representative|rep|operator|being)|human|operator|representative)\b",
        r"^\W*(?:i want |i need )?(?:a |an )?(?:real |live |human )?(?:human|agent|representative|operator|real person)"
        r"(?: please| now)?\W*$",
        r"\b(?:get|give) me (?:an?|the|your) (?:agent|representative|manager|supervisor|person)\b",
        r"\bcan (?:i|you) (?:talk|speak) to (?:some(?:one|body)|a person)\b",
        rf"\b(?:i want|i'?d like|let me) (?:to )?(?:talk|speak) (?:to|with) (?:some(?:one|body)|{_PERSON})\b",
    ),
    re.ASCII,
)

CORRECTION = re.compile(
    _one_of(
        r"\b(?:i|we) (?:meant|mean|said|was talking about)\b|\bactually\b|\binstead\b|\brather than\b",
        r"\b(?:correction|scratch that|my (?:mistake|bad)|typo)\b|\bi (?:made a|misspoke|mistyped|was wrong)\b",
        r"\bon second thou?ghts?\b|\bchanged? my mind\b|\bchange of plans?\b",
        r"\b(?:change|make|switch|move|update|correct|push|shift) (?:it|that|this|the \w+(?: \w+)?|my \w+) "
        r"(?:to|for|at|into|from|on)?\b",
        r"\b(?:make|let'?s make) (?:it|that)\b",
        r"(?<!that )\b(?:should|supposed to|needs? to) be\b(?! (?:all|fine|ok|good|great|perfect))",
        r"\b(?:wait|sorry|oops|whoops),? (?:no|not|i|make|it|that|on|for|at|the|[0-9])",
        r"\bnot [^,.;!?]{1,30}(?:,| but) (?!(?:please|thanks|i|is|so|and|or|just)\b)\w",
        r"\b(?:that'?s|it'?s|that is|this is|is) (?:wrong|incorrect|not right|not correct|not what)\b",
    ),
    re.ASCII,
)

NO_THEN = re.compile(
    r"^(?:no+|nope|nah|nay|wait|sorry)\b[,.!;:\- ]*(?:no\b[,.!;\- ]*)?(?P<rest>.+)$", re.ASCII | re.DOTALL
)
"""A no, and what is said after it."""

NOTHING_NEW = re.compile(
    _one_of(
        r"thank|thanks|thx|ty\b|bye|all (?:good|set|done)|never ?mind|cancel|one|later|more|less|nothing|not|never|no\b",
        r"that'?s (?:all|it|fine|ok|okay|everything|good|enough|correct)|it'?s (?:all|ok|fine)|that'?ll be|thats",
        r"that (?:is|will be|would be|was) (?:all|it|everything|fine|enough)",
        r"(?:i'?m|i am) (?:good|fine|ok|okay|all|done|set|not)|i (?:do(?:n'?t| not)|think|have|guess|got|just wanted)",
        r"do(?:n'?t| not)|what|who|how|when|where|which|why|is|are|does|do you|can you (?:tell|give|show)",
        r"problem|worries|need|way|preference|idea|onions?|please(?: do)?n'?t",
    )
    + r"\b",
    re.ASCII,
)
"""After a no: nothing that corrects."""

ABOUT_IT = re.compile(
    r"\b(?:do not|don'?t|dont|no need to|not|how (?:do|can|to)|can i|what if i|if i)\b[^,.;!?]{0,12}$", re.ASCII
)
"""Before a word that is denied or asked about, and not meant."""

DO_IT = re.compile(
    r"(?:ok|okay|yes|yeah|yep|lovely|great|good|fine|right|please|just|then|now|so|go on|go ahead|and|[,.! ])*"
    r"(?:order|book|send|place|submit|confirm|pay|block|do|reserve|transfer|schedule)"
    r" (?:it|that|them|the (?:order|booking|payment|request|transfer|card))(?: (?:now|then|please|pls|for me|already|in))*\W*$",
    re.ASCII,
)
"""To the question whether something shall be done: that it be done."""
