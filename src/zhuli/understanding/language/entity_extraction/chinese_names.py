"""Names of people in Chinese, whole: what was learned of few examples often has one character too few.

A name is a surname and one or two characters. Whether it is somebody's name is not told here.
"""

from collections.abc import Sequence

from zhuli.types.understanding.understanding import EntityFound

_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金"
    "石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_BEHIND = frozenset("打转汇付发寄送的吧了是和与跟在要把给说也就呢吗呀啊过去来到住订点这那先")
_COUNTS = frozenset("零一二两三四五六七八九十百千万亿几")
_BEFORE = frozenset("给到叫是找和与跟姓写为妹弟哥姐爸妈")


def whole_names(text: str, entities: Sequence[EntityFound]) -> list[EntityFound]:
    """The entities, those that were learned reaching over the whole of the name that they are in."""
    return [_whole(text, one) if one.source == "learned" else one for one in entities]


def _whole(text: str, one: EntityFound) -> EntityFound:
    start, end = one.start, one.end
    if one.value != one.text or not 1 <= end - start <= 2 or not all(map(_is_han, one.text)):
        return one
    if _has_surname_before(text, start):
        start -= 1
    if text[start] in _SURNAMES and end - start == 2 and _goes_on(text, end):
        end += 1
    said = text[start:end]
    return one.model_copy(update={"start": start, "end": end, "text": said, "value": said})


def _has_surname_before(text: str, start: int) -> bool:
    if start == 0 or text[start] in _SURNAMES or text[start - 1] not in _SURNAMES:
        return False
    return start == 1 or not _is_han(text[start - 2]) or text[start - 2] in _BEFORE


def _goes_on(text: str, end: int) -> bool:
    """Whether one more character is of the name: it ends there, or a word that can't be in a name follows."""
    if end >= len(text) or not _is_han(text[end]) or text[end] in _BEHIND | _COUNTS:
        return False
    return end + 1 == len(text) or not _is_han(text[end + 1]) or text[end + 1] in _BEHIND


def _is_han(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"
