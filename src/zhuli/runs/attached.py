"""Files that messages and threads name: they must exist, and an attachment makes its file one of the thread's."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from zhuli.store import collections, schema
from zhuli.store.files import file_of
from zhuli.types.message import ImageFileBlock, Message
from zhuli.types.thread import Thread
from zhuli.types.tools import CodeInterpreterResources, CodeInterpreterTool, ToolResources


def check_message(connection: Connection, project: str, message: Message) -> None:
    """The images and attachments of the message exist; NotFound names the first that does not."""
    images = [block.image_file.file_id for block in message.content if isinstance(block, ImageFileBlock)]
    attached = [attachment.file_id for attachment in message.attachments or () if attachment.file_id is not None]
    _check(connection, project, [*images, *attached])


def check_resources(connection: Connection, project: str, resources: ToolResources | None) -> None:
    """The code interpreter's files exist."""
    if resources is not None and resources.code_interpreter is not None:
        _check(connection, project, resources.code_interpreter.file_ids)


def join_thread(connection: Connection, project: str, thread_id: str, messages: Sequence[Message]) -> None:
    """Files attached for the code interpreter become files of the thread's."""
    new = [file_id for message in messages for file_id in _for_interpreter(message)]
    if not new:
        return
    thread = collections.get(connection, schema.threads, Thread, project, thread_id)
    resources = thread.tool_resources or ToolResources()
    known = resources.code_interpreter.file_ids if resources.code_interpreter else []
    joined = CodeInterpreterResources.model_construct(file_ids=list(dict.fromkeys([*known, *new])))
    resources = resources.model_copy(update={"code_interpreter": joined})
    collections.replace(connection, schema.threads, thread.model_copy(update={"tool_resources": resources}))


def _for_interpreter(message: Message) -> Iterable[str]:
    for attachment in message.attachments or ():
        if attachment.file_id and any(isinstance(tool, CodeInterpreterTool) for tool in attachment.tools or ()):
            yield attachment.file_id


def _check(connection: Connection, project: str, file_ids: Sequence[str]) -> None:
    for file_id in file_ids:
        if "\0" in file_id or file_of(connection, project, file_id) is None:
            raise collections.missing(schema.files, file_id)
