"""The text of a message, whichever way the SDK's types say that it might have none."""

from openai.types.beta.threads import Message


def text_of(message: Message) -> str:
    """The message's first block, which must be a text."""
    block = message.content[0]
    assert block.type == "text"
    return block.text.value
