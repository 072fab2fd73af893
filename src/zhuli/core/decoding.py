"""The text of a file whose encoding nobody names: Unicode by its marks and shape, the Chinese encodings by their characters.

Everything else (Western, Japanese, Korean …) is charset-normalizer's part. Not for data whose encoding is declared: a
parser that finds a declaration in the file follows it first.
"""

import codecs
from pathlib import Path

from zhuli.core.errors import Unreadable

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before utf-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

COMMON = frozenset(
    "的人是有不一了中我在国公为大个学这上和司年你股就对分地以发行生性黑么业能方都女说于他东多来要子会用集工到也出成时种好们合团过资家与"
    "自后法理被可作化本得下海日高南没度还电北其视实看新现天美那同体男限及很产主经小长动前力通事重里西比道基进什心市而开华月部之最定外面系因"
    "金持所明数等权制关山应水去研结三份机真全建果表特文物别究区样点信但想元并相内计利加然己白河民当间科展正广意安者问将收量觉投万起入只位提"
    "知如目型管从车联代次品着设组达吗些京老证控银场太两商质统式名论该第无少气台技期话交题线流解路原感教算给族立保总打变强啊已源向光常由认让"
    "口直受布据色务术非二价反传网更深至情州任手做回较身效称标石率油构类活报友农转件头医语低空政世把确几像形治值际测见亿单花风显处思格或优社"
    "今马近完观士条爱改义带约省员怎你谢请早晚再吃喝走听写字书您每它呢吧客户系订货付款"
    "國爲為個學這對發業說於東來會時種們團過資與後沒還電視實現體產經長動裏裡進開華數權關應結機別區樣點亞並內計當間廣問將覺萬從車聯設組達嗎證銀"
    "場兩質統論無氣臺灣話題線給總變強認讓據務術價傳網較爾運稱標響構類報轉頭醫語確幾際測見單歡風顯處優馬觀條愛義帶約驗員麼請謝書寫聽讀貨訂"
    "，。、！？：；“”‘’（）《》「」『』…—·　１２３４５６７８９０"
)
"""Characters that make up most of any Chinese text, simplified and traditional: the 400 most frequent of several open corpora."""

ENOUGH = 0.25
"""Of the characters beyond ASCII, the share of COMMON from which on a text counts as Chinese; real text has 0.5 to 0.9, and
bytes that are something else have below 0.1."""

SHORT = 40
"""Bytes of a name or a title, which may have no common character at all."""

SAMPLE = 64 * 1024
"""Bytes that a guess looks at."""


BROADER = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
"""What is meant where an encoding is declared: the one of Windows that grew out of it (WHATWG Encoding, 4.2)."""


def declared_encoding(name: str) -> str | None:
    """Python's name of the encoding that a page or a mail declares as `name`; None for one that nobody knows."""
    try:
        known = codecs.lookup(name.strip().lower())
    except (LookupError, ValueError):
        return None
    text_encoding = getattr(known, "_is_text_encoding", True)
    return BROADER.get(known.name, known.name) if text_encoding else None


def read_text(path: Path) -> str:
    """The whole file as text; Unreadable when its encoding can't be told."""
    return decode(path.read_bytes())


def decode(data: bytes) -> str:
    """Text of `data`, without its mark; what can't be decoded in an otherwise clear encoding becomes U+FFFD."""
    for mark, marked in MARKS:
        if data.startswith(mark):
            return data.decode(marked, "replace")
    if wide := wide_by_zeros(data[:SAMPLE]):
        return data.decode(wide, "replace")
    if (text := _as_utf8(data)) is not None:
        return text
    if encoding := _chinese(data[:SAMPLE]):
        return data.decode(encoding, "replace")
    return data.decode(_guessed(data[:SAMPLE]), "replace")


def wide_by_zeros(sample: bytes) -> str | None:
    """UTF-16 without a mark: ASCII in it has zeros, and so have some Chinese characters (一 is 4E00)."""
    sample = sample[: len(sample) & ~1]
    if 0 not in sample:
        return None
    encoding, other = "utf-16-le", "utf-16-be"
    if _familiarity(sample, other) > _familiarity(sample, encoding):
        encoding = other
    familiar, _ = _familiarity(sample, encoding)
    return (
        encoding if familiar >= 2 * ENOUGH or (familiar > ENOUGH / 2 and _mostly_printable(sample, encoding)) else None
    )


def _familiarity(sample: bytes, encoding: str) -> tuple[float, int]:
    """The share of characters that are ASCII or COMMON, then how few blocks of 256 the text touches."""
    text = sample.decode(encoding, "replace")
    familiar = sum(1 for character in text if " " <= character <= "~" or character in "\r\n\t" or character in COMMON)
    return familiar / len(text), -len({ord(character) >> 8 for character in text})


def _mostly_printable(sample: bytes, encoding: str) -> bool:
    text = sample.decode(encoding, "replace")
    odd = sum(1 for character in text if not (character.isprintable() or character.isspace()) or character == "\ufffd")
    return odd * 10 <= len(text)


def _as_utf8(data: bytes) -> str | None:
    """UTF-8, also with a few broken places, as where files of two encodings were joined."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        text = data.decode(errors="replace")
    broken = text.count("\ufffd")
    beyond = sum(1 for character in text if character > "\x7f")
    return text if beyond - broken > 10 * broken else None


def _chinese(sample: bytes) -> str | None:
    """The one of the Chinese encodings that makes real words of these bytes."""
    encodings = ["gb18030", "big5hkscs"]
    if len(sample) % 2 == 0:
        encodings += ["utf-16-le", "utf-16-be"]
    best = max(encodings, key=lambda encoding: _share_of_common(sample, encoding))
    if _share_of_common(sample, best) >= ENOUGH:
        return best
    return "gb18030" if len(sample) < SHORT and _all_of_level_one(sample) else None


def _share_of_common(sample: bytes, encoding: str) -> float:
    """0 to 1; 0 for bytes that are not of this encoding, the last of which may be half a character."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return 0.0
    beyond = [character for character in text if character > "\x7f"]
    return sum(character in COMMON for character in beyond) / len(beyond) if beyond else 0.0


def _all_of_level_one(sample: bytes) -> bool:
    """Whether every character beyond ASCII is one of the 3,755 that GB 2312 calls common."""
    try:
        text = sample.decode("gb2312")
    except UnicodeDecodeError:
        return False
    beyond = [character.encode("gb2312") for character in text if character > "\x7f"]
    return len(beyond) > 1 and all(0xB0 <= pair[0] <= 0xD7 or pair[0] <= 0xA3 for pair in beyond)


def _guessed(sample: bytes) -> str:
    from charset_normalizer import from_bytes  # of the extra "knowledge", and slow to import

    best = from_bytes(sample).best()
    if best is None or not _mostly_printable(sample, best.encoding):
        raise Unreadable("The encoding of the text can't be recognised. Save the file as UTF-8.")
    return best.encoding
