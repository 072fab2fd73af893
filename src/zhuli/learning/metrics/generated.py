"""How close texts come to references: BLEU and chrF by sacrebleu, ROUGE by rouge-score.

BLEU (Papineni et al. 2002) and chrF (Popović 2015) are 0 to 100 as sacrebleu gives them, with its smoothing and, for Chinese,
its tokenizer; everything else is 0 to 1. ROUGE (Lin 2004) is F1 with the Porter stemmer for English, on lower-case words
elsewhere, and on characters for Chinese and Japanese; of several references the best counts.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu import BLEU, CHRF

from zhuli.learning.metrics.chinese import segments
from zhuli.learning.metrics.measured import Floats, Measured, Sums, means

Kind = Literal["translation", "summarization", "dialogue"]


def scores(references: Sequence[list[str]], texts: Sequence[str], *, language: str, kind: Kind) -> Measured:
    """translation: bleu, chrf. summarization: rouge1, rouge2, rougeL. dialogue: rougeL, chrf, bleu. exact: of each.

    language: of the texts, like "zh" or "en-US". Every text has at least one reference.
    """
    cleaned = [text.strip() for text in texts]
    exact = [float(text in {known.strip() for known in refs}) for refs, text in zip(references, cleaned, strict=True)]
    parts: list[Sums] = []
    if kind != "summarization":
        parts += [_sacrebleu("bleu", BLEU(tokenize=_tokenizer(language)), references, cleaned)]
        parts += [_sacrebleu("chrf", CHRF(), references, cleaned)]
    if kind == "summarization":
        parts += [_rouge(["rouge1", "rouge2", "rougeL"], references, cleaned, language)]
    if kind == "dialogue":
        parts += [_rouge(["rougeL"], references, cleaned, language)]
    return Measured([*parts, means(exact=exact)])


def _tokenizer(language: str) -> str:
    main = language.lower().split("-")[0]
    return "zh" if main == "zh" else "char" if main in ("ja", "th", "lo", "km", "my") else "13a"


def _sacrebleu(name: str, metric: Any, references: Sequence[list[str]], texts: Sequence[str]) -> Sums:
    """Statistics of each text, which sacrebleu sums over a corpus; its own paired tests go the same way."""
    longest = max((len(refs) for refs in references), default=1)
    streams = [[refs[at] if at < len(refs) else None for refs in references] for at in range(longest)]
    rows = metric._extract_corpus_statistics(list(texts), streams) if texts else []

    def score(sums: Floats) -> dict[str, Floats]:
        found = [metric._compute_score_from_stats([int(number) for number in row]).score for row in sums]
        return {name: np.array(found, dtype=np.float64)}

    return Sums(np.array(rows, dtype=np.float64), score)


def _rouge(names: list[str], references: Sequence[list[str]], texts: Sequence[str], language: str) -> Sums:
    scorer = rouge_scorer(names, language)
    found = [scorer.score_multi(refs, text) for refs, text in zip(references, texts, strict=True)]
    return means(**{name: [float(each[name].fmeasure) for each in found] for name in names})


def rouge_scorer(names: list[str], language: str) -> RougeScorer:
    """rouge-score's scorer of these, by the language's words."""
    if language.lower().startswith("en"):
        return RougeScorer(names, use_stemmer=True)
    return RougeScorer(names, tokenizer=_Segments())


class _Segments:
    """A tokenizer as rouge-score wants one."""

    def tokenize(self, text: str) -> list[str]:
        return segments(text)
