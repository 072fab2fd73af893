"""The part of a model card that shows how to ask the model: through a server, from its folder, with transformers."""

from zhuli.types.learning.hyperparameters import TaskName
from zhuli.types.learning.tuning import Spec

_CHATS = frozenset({"dialogue", "preference"})
GENERATES = _CHATS | {"translation", "summarization"}

_INPUTS: dict[TaskName, str] = {
    "question_answering": '{"question": "…", "context": "…"}',
    "relation_extraction": '{"text": "…", "head": {"start": 0, "end": 3}, "tail": {"start": 8, "end": 11}}',
    "dialogue": '{"messages": [{"role": "user", "content": "…"}]}',
    "preference": '{"messages": [{"role": "user", "content": "…"}]}',
}
"""How an input looks where it is not just a text."""


def written(spec: Spec, name: str) -> str:
    """Markdown. name: under which a server has the model."""
    given = _INPUTS.get(spec.task, '"…"')
    return f"""On a zhuli server, through the OpenAI client:

```python
from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:8000/v1", api_key="…")
{_call(spec, name, given)}
```

From this folder:

```python
from pathlib import Path

from zhuli.learning.training.tuned import open_tuned

open_tuned(Path(".")).predict([{given}])
```

{_transformers(spec)}"""


def _call(spec: Spec, name: str, given: str) -> str:
    if spec.task in _CHATS:
        return f'client.chat.completions.create(model="{name}", messages=[{{"role": "user", "content": "…"}}])'
    return f'client.post("/predictions", body={{"model": "{name}", "input": {given}}}, cast_to=object)'


def _transformers(spec: Spec) -> str:
    if spec.task in GENERATES:
        return "With transformers: `AutoModelForCausalLM.from_pretrained(folder)`, or `AutoModelForSeq2SeqLM`, as the base is."
    return "With transformers: `AutoModel` and `AutoTokenizer` with `.from_pretrained(folder)` give the encoder."
