"""Dialogue: what the assistant says next, learned from whole conversations by the base's own chat template, tools included."""

from collections.abc import Sequence
from typing import Any

from zhuli.learning.metrics import generated
from zhuli.learning.neural.language_models.conversations import conversation, learnable, said, shown, tools_of
from zhuli.learning.neural.language_models.language_model import LanguageModel
from zhuli.learning.neural.language_models.writing_task import Messages, WritingTask
from zhuli.models.engines.told_tools import told
from zhuli.ports import Loss
from zhuli.types.learning.example import BadExample, Example, Metrics, Prediction, Record


class Plugin(WritingTask):
    """input: {"messages", "tools"} up to the last answer; target: the assistant's message."""

    metric = "token_accuracy"
    answer_key = "generated_text"

    def read(self, record: Record) -> Example:
        """{"messages": […], "tools"?: […]}; every message of the assistant's is learned but those of weight 0."""
        messages = conversation(record.fields.get("messages"))
        learnable(messages)
        given = {"messages": messages[:-1], "tools": tools_of(record.fields.get("tools"))}
        return Example(given, messages[-1], line=record.line)

    def ask(self, given: Any) -> Example:
        fields = given if isinstance(given, dict) else {"messages": given}
        messages = conversation(fields.get("messages"))
        if messages[-1]["role"] == "assistant":
            raise BadExample('"messages" should end with a message of the user, which is to be answered.')
        return Example({"messages": messages, "tools": tools_of(fields.get("tools"))})

    def text_of(self, example: Example) -> str:
        return shown(example.input["messages"])

    def asked(self, example: Example) -> tuple[Messages, list[dict[str, Any]]]:
        messages, tools = example.input["messages"], example.input["tools"]
        return (messages, tools) if self.chats.knows_tools else (told(messages, tools)[0], [])

    def learned(self, example: Example) -> tuple[Messages, list[int], list[dict[str, Any]]]:
        messages, tools = [*example.input["messages"], example.target], example.input["tools"]
        numbers = learnable(messages)
        return (messages, numbers, tools) if self.chats.knows_tools else (*told(messages, tools, numbers), [])

    def source(self, example: Example) -> str:
        return shown(example.input["messages"])

    def references(self, example: Example) -> list[str]:
        return [said(example.target)]

    def loss(self, model: LanguageModel, batch: dict[str, Any], hidden: Any = None) -> Loss:
        return Loss(*self.learned_from(model, batch, hidden))

    def measure(self, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Metrics:
        """perplexity, loss and token_accuracy of what the assistant said; bleu, chrf, rougeL and exact of its last answer."""
        references = [self.references(example) for example in examples]
        language = self.state.get("language", "en")
        found = generated.scores(references, self.texts(predictions), language=language, kind="dialogue")
        return self.likelihoods(predictions).joined(found)
