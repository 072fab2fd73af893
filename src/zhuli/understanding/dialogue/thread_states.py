"""The dialogue state of a thread as the database has it: read for a run, for a question about the thread, for a client."""

from sqlalchemy import Connection

from zhuli.store.understanding import understandings
from zhuli.types.understanding.understanding import DialogueState
from zhuli.understanding.dialogue.state import fold


def state_of(connection: Connection, thread_id: str) -> DialogueState:
    """The fold of all that was understood on the thread; a state in which nothing has happened where nothing was."""
    recorded = understandings.recorded(connection, thread_id)
    state = fold(change for one in recorded for change in one.changes)
    domain = recorded[-1].domain if recorded else None
    return state.model_copy(update={"thread_id": thread_id, "domain": domain})
