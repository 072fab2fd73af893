"""Names of people that are introduced: "my name is …", "Dr. …", 我叫…, …先生. Names that just stand there are not found."""

import re
from collections.abc import Iterator

from zhuli.safety.recognisers.found import Found

_NAME = r"[A-Z][a-z]+(?:['-][A-Z]?[a-z]+)*"
_ENGLISH = (
    re.compile(
        r"\b(?i:my (?:full )?name(?: is|'s|:)|i am called|(?:customer|contact|full|first|last)?\s?\bname:)\s+"
        rf"({_NAME}(?:\s+(?:[A-Z]\.\s+)?{_NAME}){{0,3}})"
    ),
    re.compile(rf"\b(?i:this is)\s+({_NAME}(?:\s+{_NAME}){{0,2}})\s+(?i:speaking|calling|from|here)\b"),
    re.compile(rf"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.?\s+({_NAME}(?:\s+{_NAME}){{0,2}})"),
)

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏"
    "付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关"
)
"""The hundred and fifty most frequent, which nine in ten bear."""

_TWO = "欧阳|上官|司马|诸葛|夏侯|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|端木"
_SURNAME = rf"(?:{_TWO}|[{SURNAMES}])"
_CHINESE = (
    re.compile(
        rf"(?:我(?:的名字)?(?:叫做?|名叫)|名字(?:是|叫做?|为)?|姓名|联系人|收件人|收货人|户名|持卡人)(?:是|为|叫)?[\s:：]*"
        rf"({_SURNAME}[\u4e00-\u9fff]{{1,2}}?)(?=$|[\s,，。;；.!！?？、:：]|的|是|和|，|电话|手机|身份证|想|要|今年|来自|住)"
    ),
    re.compile(rf"(?<![\u4e00-\u9fff])({_SURNAME}[\u4e00-\u9fff]{{0,2}}?)(?=先生|女士|小姐|太太)"),
    re.compile(rf"(?:您好|你好|找|给|跟|和|是|叫|请|问)({_SURNAME}[\u4e00-\u9fff]{{0,2}}?)(?=先生|女士|小姐|太太)"),
)


def names(text: str, _: str | None) -> Iterator[Found]:
    """Names of people that are introduced as such."""
    for pattern in (*_ENGLISH, *_CHINESE):
        yield from (Found("person", *found.span(1)) for found in pattern.finditer(text))
