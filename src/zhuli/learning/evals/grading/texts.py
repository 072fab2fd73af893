"""Grades of texts that need no model: string checks, and how near a text comes to a reference. Pure.

fuzzy_match is rapidfuzz's normalised indel similarity; BLEU is sacrebleu's of a sentence, with effective order, divided by
100; GLEU and METEOR are NLTK's, the latter with stems and without synonyms, for WordNet is no part of a server; ROUGE is F1
as in metrics.generated. Chinese is compared by characters. All are 0 to 1.
"""

from collections.abc import Callable
from typing import Any, Literal

from zhuli.core.errors import InvalidRequest
from zhuli.types.learning.graders import Similarity, StringCheck

MOST_CHARACTERS = 10_000
"""Of a text to be compared: ROUGE-L takes as long as the product of both lengths."""


def passes(operation: Literal["eq", "ne", "like", "ilike"], text: str, reference: str) -> bool:
    """like and ilike: whether the text contains the reference."""
    match operation:
        case "eq":
            return text == reference
        case "ne":
            return text != reference
        case "like":
            return reference in text
    return reference.casefold() in text.casefold()


def string_check(grader: StringCheck, text: str, reference: str) -> tuple[float, bool]:
    """(score, passed)"""
    passed = passes(grader.operation, text, reference)
    return float(passed), passed


def similarity(metric: Similarity, text: str, reference: str) -> float:
    """How near, 0 to 1, by any metric but cosine, which needs an embedder. ValueError for texts that are too long."""
    longest = max(len(text), len(reference))
    if longest > MOST_CHARACTERS:
        raise ValueError(f"Texts of at most {MOST_CHARACTERS:,} characters are compared, and one has {longest:,}.")
    return float(_METRICS[metric](text, reference))


def check_installed(metric: Similarity, param: str) -> None:
    """InvalidRequest where what computes the metric is not installed here."""
    if metric == "cosine":
        return
    try:
        similarity(metric, "a b", "a b")
    except ImportError:
        extra = "understanding" if metric == "fuzzy_match" else "train"
        text = (
            f"Invalid '{param}': '{metric}' needs what this server lacks. Its operator installs it as zhuli[{extra}]."
        )
        raise InvalidRequest(text, param=param, code="unsupported_value") from None


def _fuzzy(text: str, reference: str) -> float:
    from rapidfuzz.fuzz import ratio

    return float(ratio(text, reference)) / 100


def _bleu(text: str, reference: str) -> float:
    from sacrebleu import BLEU

    from zhuli.learning.metrics.chinese import has_chinese

    metric = BLEU(tokenize="zh" if has_chinese(reference) else "13a", effective_order=True)
    return float(metric.sentence_score(text, [reference]).score) / 100


def _gleu(text: str, reference: str) -> float:
    from nltk.translate.gleu_score import sentence_gleu

    words, wanted = _words(text), _words(reference)
    return float(sentence_gleu([wanted], words)) if words and wanted else float(words == wanted)


class _NoSynonyms:
    """What NLTK asks for the synonyms of a word."""

    def synsets(self, _: str) -> list[Any]:
        return []


def _meteor(text: str, reference: str) -> float:
    from nltk.translate.meteor_score import single_meteor_score

    words, wanted = _words(text), _words(reference)
    return (
        float(single_meteor_score(wanted, words, wordnet=_NoSynonyms())) if words and wanted else float(words == wanted)
    )


def _rouge(name: str) -> Callable[[str, str], float]:
    def score(text: str, reference: str) -> float:
        from zhuli.learning.metrics.chinese import has_chinese
        from zhuli.learning.metrics.generated import rouge_scorer

        scorer = rouge_scorer([name], "zh" if has_chinese(reference + text) else "en")
        return float(scorer.score(reference, text)[name].fmeasure)

    return score


def _words(text: str) -> list[str]:
    from zhuli.learning.metrics.chinese import segments

    return segments(text)


_METRICS: dict[str, Callable[[str, str], float]] = {
    "fuzzy_match": _fuzzy,
    "bleu": _bleu,
    "gleu": _gleu,
    "meteor": _meteor,
    "rouge_l": _rouge("rougeL"),
    **{f"rouge_{size}": _rouge(f"rouge{size}") for size in range(1, 6)},
}
