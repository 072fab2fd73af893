"""Examples that are a text and what is to be made of it: read from records, and told to a chat model as an instruction.

What translation and summarization share beside neural.writing_task.
"""

from typing import Any

from zhuli.learning.neural.language_models.conversations import conversation, learnable, said
from zhuli.learning.neural.language_models.instructions import filled
from zhuli.learning.neural.language_models.writing_task import Messages, WritingTask
from zhuli.types.learning.example import BadExample, Example, Record


class TextPairTask(WritingTask):
    """state: "instruction", with a place for the text."""

    def read(self, record: Record) -> Example:
        """{"source", "target": text or texts}, or a conversation whose last two messages are the text and the answer."""
        fields = record.fields
        if "messages" in fields:
            messages = conversation(fields["messages"])
            learnable(messages)
            fields = {"source": said(messages[-2]), "target": said(messages[-1])}
        source, target = fields.get("source"), fields.get("target")
        targets = [target] if isinstance(target, str) else target
        if not isinstance(source, str) or not source.strip():
            raise BadExample('"source" should be the text that is read.')
        if not isinstance(targets, list) or not targets or not all(isinstance(t, str) and t.strip() for t in targets):
            raise BadExample('"target" should be the text that is to be written, or a list of right ones.')
        return Example(source, list(targets), line=record.line)

    def ask(self, given: Any) -> Example:
        text = given.get("text", given.get("source")) if isinstance(given, dict) else given
        if not isinstance(text, str) or not text.strip():
            raise BadExample('An input should be a text, or {"text": "…"}.')
        return Example(text)

    def text_of(self, example: Example) -> str:
        return str(example.input)

    def asked(self, example: Example) -> tuple[Messages, list[dict[str, Any]]]:
        return [{"role": "user", "content": filled(self.state["instruction"], example.input)}], []

    def learned(self, example: Example) -> tuple[Messages, list[int], list[dict[str, Any]]]:
        asked, tools = self.asked(example)
        return [*asked, {"role": "assistant", "content": example.target[0]}], [1], tools

    def source(self, example: Example) -> str:
        return str(example.input)

    def references(self, example: Example) -> list[str]:
        return list(example.target)
