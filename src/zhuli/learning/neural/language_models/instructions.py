"""What a language model is told to do with a text, in the text's language, so that a chat model can be tuned on plain pairs.

Pure. Which language a text is in is told by its script alone: enough to choose an instruction and a tokenizer of metrics.
"""

import re
from collections.abc import Iterable

PLACE = "{text}"
"""Where an instruction has its text; a text may have braces of its own."""

_SCRIPTS = {
    "ja": re.compile("[\u3040-\u30ff]"),
    "zh": re.compile("[\u3400-\u9fff]"),
    "ko": re.compile("[\uac00-\ud7af]"),
    "ru": re.compile("[\u0400-\u04ff]"),
    "ar": re.compile("[\u0600-\u06ff]"),
}
_SHARE = 0.2
"""Of the letters: a Chinese text may be full of Latin names, an English one hardly of Chinese ones."""

_ENGLISH_NAMES = {
    "en": "English", "zh": "Chinese", "ja": "Japanese", "ko": "Korean", "ru": "Russian", "ar": "Arabic",
    "fr": "French", "de": "German", "es": "Spanish", "it": "Italian", "pt": "Portuguese",
}  # fmt: skip
_CHINESE_NAMES = {
    "en": "英文", "zh": "中文", "ja": "日文", "ko": "韩文", "ru": "俄文", "ar": "阿拉伯文",
    "fr": "法文", "de": "德文", "es": "西班牙文", "it": "意大利文", "pt": "葡萄牙文",
}  # fmt: skip


def language_of(texts: Iterable[str]) -> str:
    """ja, zh, ko, ru or ar by the letters of the texts together, and en for everything else."""
    letters = "".join(character for text in texts for character in text if character.isalpha())
    for language, script in _SCRIPTS.items():
        if letters and len(script.findall(letters)) >= _SHARE * len(letters):
            return language
    return "en"


def translating(source: str, target: str) -> str:
    """The instruction to translate from one language to another, with PLACE."""
    if source == "zh":
        return f"将下面的文字翻译成{_CHINESE_NAMES.get(target, target)}：\n\n{PLACE}"
    return f"Translate the following text into {_ENGLISH_NAMES.get(target, target)}:\n\n{PLACE}"


def summarizing(language: str) -> str:
    """The instruction to summarise a text of this language, with PLACE."""
    if language == "zh":
        return f"用一两句话概括下面的内容：\n\n{PLACE}"
    return f"Summarize the following text in one or two sentences:\n\n{PLACE}"


def filled(instruction: str, text: str) -> str:
    return instruction.replace(PLACE, text)
