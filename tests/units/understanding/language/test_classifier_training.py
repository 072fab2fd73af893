"""What is learned of intents and of what is outside, from rows of numbers that stand for texts."""

import numpy as np
import pytest

from zhuli.understanding.language.intent_classification.classifier_training import PRIOR, learn
from zhuli.understanding.language.intent_classification.softmax_regression import Floats
from zhuli.understanding.language.intent_classification.word_features import SIZE

WIDTH, EACH, OUTSIDE = 64, 8, 60


def rows(drawn: np.random.Generator, around: Floats, noise: float) -> Floats:
    """Texts whose vectors lie around these, and that have no words."""
    said = around + noise * drawn.standard_normal(around.shape)
    return np.hstack([said, np.zeros((len(said), SIZE))]).astype(np.float32)


@pytest.mark.parametrize("intents", [5, 30, 80])
def test_examples_of_few_and_of_many_intents_are_taken_and_what_is_outside_refused(intents: int) -> None:
    drawn = np.random.default_rng(0)
    means = drawn.standard_normal((intents, WIDTH)).astype(np.float32)
    labels = np.repeat(np.arange(intents), EACH)
    outside = rows(drawn, drawn.standard_normal((OUTSIDE, WIDTH)).astype(np.float32), 1.0)
    learned = learn(rows(drawn, means[labels], 1.0), labels, rows(drawn, means, 0.3), outside)
    assert learned.kept is not None and learned.kept > 0.9
    assert learned.refused is not None and learned.refused > 0.9
    said = learned.classifier.read(rows(drawn, means, 1.0))
    assert (said.shares.argmax(axis=1) == np.arange(intents)).mean() > 0.9


def test_a_domain_with_one_example_begins_with_the_prior() -> None:
    drawn = np.random.default_rng(0)
    one = rows(drawn, np.ones((1, WIDTH), np.float32), 0.1)
    learned = learn(one, np.zeros(1, np.int64), one, np.zeros((0, one.shape[1]), np.float32))
    assert learned.classifier.detector.tolist() == PRIOR.tolist() and learned.kept is None
