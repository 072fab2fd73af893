"""Learners who do not exist: how good they are is known, so that what is found of them can be measured. Pure.

Each is weak at some topics. Every exercise of a topic, with its explanation, closes a share of what is missing there. That
practice helps is put in, and not found out: what is compared is where it is spent.
"""

import random
from dataclasses import dataclass, field

from benchmarks.applications.education.sample import Exercise

_WEAK, _GOOD, _MOST = 0.25, 0.85, 0.95
_LEARNED = 0.15
"""Of what is missing, by an exercise."""

_CARELESS = 0.2
"""Of wrong answers, those without a known mistake behind them, where numbers are asked for."""


@dataclass
class Learner:
    """skill: of each topic how likely an easy exercise is solved."""

    name: str
    skill: dict[str, float]
    rng: random.Random
    weak: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def drawn(cls, name: str, topics: list[str], *, seed: int) -> "Learner":
        """Weak at two or three topics, drawn by lot."""
        rng = random.Random(seed)
        weak = frozenset(rng.sample(topics, rng.choice((2, 3))))
        return cls(name, {topic: _WEAK if topic in weak else _GOOD for topic in topics}, rng, weak)

    def does(self, exercise: Exercise) -> bool:
        """Whether it is right this time; something is learned by it."""
        skill = self.skill[exercise.topic]
        right = self.rng.random() < skill * (1.1 - 0.1 * exercise.level)
        self.skill[exercise.topic] = skill + _LEARNED * (_MOST - skill)
        return right

    def writes(self, exercise: Exercise, right: bool) -> str:
        """An answer that is right, or not; of words one of the examples."""
        if exercise.answer is None:
            wrong = [text for mistake in exercise.mistakes for text in mistake.like]
            return self.rng.choice(exercise.right if right else wrong)
        if right:
            return f"= {exercise.answer}"
        if exercise.mistakes and self.rng.random() > _CARELESS:
            return str(self.rng.choice(exercise.mistakes).answer)
        return str(exercise.answer + self.rng.choice((1, 2, 10)))
