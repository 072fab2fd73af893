"""Whether what is told of a company is denied: "did not fall", "failed to win", 没有违约. Small encoders miss that.

No list of good and bad words: the model itself is asked, once more for the clause without what denies, and once for the text
without the clause. Where it says the same of "Acme did fall" and of a text with "Acme did not fall", and nothing else in the
text speaks for it, the denial was missed. What is denied and bad is neutral then, what is denied and good is negative. Pure.

Not seen: denials that stand elsewhere than in the clause of the first mention, irony, and "neither … nor".
"""

import re
from dataclasses import dataclass

from zhuli.types.applications.opinion import LabelReading, Mention

_CLAUSE = re.compile(
    r"(?<=[.;!?])\s|[;,\n。；，！？!?]|\s(?:but|while|whereas|although|though|after|before|because|since|as|and|when|unlike)\s|"
    "但是?|不过|然而|虽然|因为|由于|相比之下|而(?!且)"
)

_AUXILIARY = r"(?:do|does|did|has|have|had|is|are|was|were|will|would|could|can|should|may|might|must)"
_DENIED: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        (rf"\b({_AUXILIARY})(?:\s+not|n['’]t)\b(?! only)(?:\s+yet\b)?", r"\1"),
        (r"\bcannot\b(?! only)", "can"),
        (r"\bwon['’]t\b", "will"),
        (r"\bcan['’]t\b", "can"),
        (rf"\b({_AUXILIARY})\s+(?:no longer|never)\b", r"\1"),
        (r"\b(?:never|no longer)\s+", ""),
        (r"\b(?:failed|fails|fail|unable|declined|refused) to\b", "managed to"),
        (r"\b(?:denied|denies|deny|dismissed|dismisses|rejected|refuted|rebuffed)\b", "confirmed"),
        (r"\b(?:avoided|avoids|averted|averts|escaped|escapes)\b", "faced"),
        (r"\b(?:far from|anything but|not)\s+(?!only\b|just\b)", ""),
        (r"(?<![\w.])no\s+(?=[a-z])(?!one\b|doubt\b|more than\b|less than\b|matter\b)", ""),
        ("否认|驳斥", "承认"),
        ("(?:并未能?|尚未能?|仍未能?|未能|未见|从未|没有|并没有?|并非|绝非|不再|并不|绝不)(?!来|知)", ""),
        ("不(?=会|能|及|是|存在|涉及|受影响|达)", ""),
        ("避免了?|免于", "遭遇"),
    )
)


@dataclass(frozen=True, slots=True)
class Denial:
    """What is asked beside the text itself: the clause as if nothing denied it, and the text without the clause."""

    affirmed: str
    affirmed_at: Mention
    without: str
    without_at: Mention


def denial(text: str, mention: Mention) -> Denial | None:
    """Of the clause in which the company is mentioned; None where nothing in it denies."""
    start, end = _clause(text, mention)
    before, behind = text[start : mention.start], text[mention.end : end]
    told = _without_denial(before), _without_denial(behind)
    if told == (before, behind):
        return None
    lead = told[0].lstrip()
    rest = f"{text[:start]}{mention.text}{text[end:]}"
    return Denial(
        affirmed=f"{lead}{mention.text}{told[1]}".rstrip(),
        affirmed_at=_at(mention, len(lead)),
        without=rest,
        without_at=_at(mention, start),
    )


def read_again(said: LabelReading, affirmed: LabelReading | None, without: LabelReading | None) -> LabelReading:
    """What is read where something denies. said: of the text; affirmed, without: of what denial() gave; None: not read."""
    if affirmed is None or affirmed.label != said.label or said.label not in _DENIED_LABEL:
        return said
    if without is not None and without.label == said.label:
        return said
    return said.model_copy(update={"label": _DENIED_LABEL[said.label], "score": min(said.score, affirmed.score)})


_DENIED_LABEL = {"negative": "neutral", "positive": "negative"}


def _clause(text: str, mention: Mention) -> tuple[int, int]:
    start, end = 0, len(text)
    for match in _CLAUSE.finditer(text):
        if match.end() <= mention.start:
            start = match.end()
        elif match.start() >= mention.end:
            end = match.start()
            break
    return start, end


def _without_denial(part: str) -> str:
    """Without the first word that denies: two of them are rare, and what they come to is not."""
    first: tuple[int, int, str] | None = None
    for pattern, instead in _DENIED:
        match = pattern.search(part)
        if match is not None and (first is None or match.start() < first[0]):
            first = match.start(), match.end(), match.expand(instead)
    return part if first is None else part[: first[0]] + first[2] + part[first[1] :]


def _at(mention: Mention, start: int) -> Mention:
    return Mention(start=start, end=start + len(mention.text), text=mention.text)
