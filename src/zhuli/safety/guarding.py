"""Judges one text for a guard: moderation and personal data, what is done about it, and what is said in its place."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from zhuli.safety.moderation.features import Language, language_of
from zhuli.safety.moderation.moderating import Moderations
from zhuli.safety.personal_data import mask
from zhuli.types.safety.guard import GuardRules, Guards, Verdict

REFUSED: Final[Mapping[Language, str]] = {"en": "I can't help with that.", "zh": "抱歉，这个我帮不上忙。"}
IN_NEED: Final[Mapping[Language, str]] = {
    "en": "It sounds as if things are very hard for you right now. I can't help with this, but people can: please talk to "
    "somebody you trust, or call your local emergency number.",
    "zh": "听起来您现在很不好受。这件事我帮不上忙，但有人可以：请和您信任的人谈谈，或者拨打当地的急救或心理援助电话。",
}
PERSONAL: Final[Mapping[Language, str]] = {
    "en": "Please leave out personal data such as card or phone numbers, and ask again.",
    "zh": "请去掉卡号、电话等个人信息后再发一次。",
}
HANDED_OVER: Final[Mapping[Language, str]] = {
    "en": "I am passing this on to a person, who will get back to you.",
    "zh": "我把您的问题转给人工客服，请稍候。",
}


class Guarding:
    """Judges for runs' guards. Made once."""

    def __init__(self, moderations: Moderations) -> None:
        self._moderations = moderations

    async def judge(self, project: str, text: str, rules: GuardRules, guards: Guards, *, before: str = "") -> Verdict:
        """What to do with the text. before: what stood just before it and was let through, so that nothing hides in the cut.

        Raises Unavailable where it can't be judged: then the text may not go on either.
        """
        flagged = await self._flagged(project, f"{before}{text}", rules)
        masked = mask(text) if rules.personal_data else None
        kinds = tuple(dict.fromkeys(one.kind for one in masked.found)) if masked else ()
        language = language_of(text if text.strip() else before)
        if flagged and rules.moderation == "block":
            words = IN_NEED if "self-harm/intent" in flagged else REFUSED
            return Verdict(text, "block", guards.refusal or words[language], flagged, kinds)
        if flagged and rules.moderation == "hand_over":
            return Verdict(text, "hand_over", guards.handover or HANDED_OVER[language], flagged, kinds)
        if kinds and rules.personal_data == "block":
            return Verdict(text, "block", guards.refusal or PERSONAL[language], flagged, kinds)
        if masked and kinds and rules.personal_data == "mask":
            return Verdict(masked.text, "mask", "", flagged, kinds)
        return Verdict(text, "flag" if flagged or kinds else None, "", flagged, kinds)

    def mask(self, text: str) -> str:
        """The text without personal data; what was asked last is remembered, for a thread is read again at every turn."""
        return _masked(text)

    async def _flagged(self, project: str, text: str, rules: GuardRules) -> dict[str, float]:
        if rules.moderation is None or not text.strip():
            return {}
        found = await self._moderations.flagged(project, text)
        wanted = rules.categories
        return {name: score for name, score in found.items() if wanted is None or name in wanted}


@lru_cache(maxsize=4096)
def _masked(text: str) -> str:
    return mask(text).text
