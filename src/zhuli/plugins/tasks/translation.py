"""Translation: a text into another language, by a chat model that is instructed to, or by a sequence-to-sequence model."""

from collections.abc import Sequence
from typing import Any

from zhuli.learning.metrics import generated
from zhuli.learning.neural.language_models.instructions import language_of, translating
from zhuli.learning.neural.language_models.text_pairs import TextPairTask
from zhuli.ports import Loss
from zhuli.types.learning.example import Example, Metrics, Prediction


class Plugin(TextPairTask):
    metric = "chrf"
    answer_key = "translation_text"

    def started(self, examples: Sequence[Example]) -> None:
        source = language_of(example.input for example in examples)
        self.state.setdefault("instruction", translating(source, self.state["language"]))

    def loss(self, model: Any, batch: dict[str, Any], hidden: Any = None) -> Loss:
        return Loss(*self.learned_from(model, batch, hidden))

    def measure(self, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Metrics:
        """bleu, chrf, exact; loss, perplexity and token_accuracy of the reference."""
        references = [self.references(example) for example in examples]
        language = self.state.get("language", "en")
        found = generated.scores(references, self.texts(predictions), language=language, kind="translation")
        return self.likelihoods(predictions).joined(found)
