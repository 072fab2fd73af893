"""Comparisons, agreements and verdicts as sentences for people, in English and Chinese. Pure."""

from zhuli.types.learning.comparison import Said

SURE = 0.05
"""A p above it is called chance."""


def of_comparison(
    name: str, number: int, before: float, after: float, interval: tuple[float, float], p: float, *, shares: bool
) -> Said:
    """What came of it, with the interval, and whether it could be chance."""
    unit_en, unit_zh = (" points", "个百分点") if shares else ("", "")
    old, new = (f"{100 * before:.1f} %", f"{100 * after:.1f} %") if shares else (f"{before:.3f}", f"{after:.3f}")
    moved = _signed(after - before, shares)
    low, high = (_signed(edge, shares) for edge in interval)
    more_en, more_zh = _chance(after - before, p)
    where_en, where_zh = ("", "") if name == "all" else (f"{name}: ", f"{name}：")
    return Said(
        en=f"{where_en}{old} before, {new} after on {number} examples: {moved}{unit_en} "
        f"(95 % interval {low} to {high}), {more_en} (p = {_p(p)}).",
        zh=f"{where_zh}{number} 个样本，之前 {old}，之后 {new}：{moved}{unit_zh}"
        f"（95% 区间 {low} 至 {high}），{more_zh}（p = {_p(p)}）。",
    )


def _chance(difference: float, p: float) -> tuple[str, str]:
    if p > SURE or difference == 0:
        return "which may be chance", "可能只是偶然"
    return (
        ("better by more than chance", "改善并非偶然")
        if difference > 0
        else ("worse by more than chance", "变差并非偶然")
    )


def _signed(value: float, shares: bool) -> str:
    return f"{100 * value:+.1f}" if shares else f"{value:+.3f}"


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def of_agreement(number: int, observed: float, kappa: float | None) -> Said:
    """How good an agreement is; the words are those of Landis and Koch 1977."""
    if kappa is None:
        return Said(
            en=f"Both gave one and the same label to all {number}: nothing can be said about their agreement.",
            zh=f"两者对全部 {number} 个都给了同一个标签，无法判断一致性。",
        )
    words = (
        (0.0, "no better than chance", "不高于偶然"),
        (0.2, "slight", "轻微"),
        (0.4, "fair", "尚可"),
        (0.6, "moderate", "中等"),
        (0.8, "substantial", "较高"),
        (1.01, "almost perfect", "近乎完全"),
    )
    _, en, zh = next(word for word in words if kappa <= word[0])
    return Said(
        en=f"They agree on {100 * observed:.1f} % of {number} (Cohen's kappa {kappa:.2f}: {en}).",
        zh=f"两者在 {number} 个中的 {100 * observed:.1f}% 上一致（Cohen κ = {kappa:.2f}，{zh}）。",
    )


def of_verdict(refused: int, asked: int) -> Said:
    """How many of the gate's questions were answered with no."""
    if not refused:
        return Said(en=f"Passed: all {asked} conditions hold.", zh=f"通过：全部 {asked} 项条件均满足。")
    return Said(
        en=f"Stopped: {refused} of {asked} conditions do not hold.",
        zh=f"未通过：{asked} 项条件中有 {refused} 项不满足。",
    )
