"""The tables. Alembic's migrations make them; this is what queries are written against.

`seq` orders rows as they were made, also within one second. `body` is the object's JSON as the wire has it; the columns
beside it exist to find rows by. A JSON body is text, not a JSON type: it is written once, read whole, and sent as it is.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from zhuli.core.origin import MAX_LENGTH

metadata = MetaData()

_Seq = BigInteger().with_variant(Integer, "sqlite")


def _object_table(name: str, *columns: Column[object] | Index | UniqueConstraint) -> Table:
    return Table(
        name,
        metadata,
        Column("seq", _Seq, primary_key=True, autoincrement=True),
        Column("id", String(64), nullable=False, unique=True),
        Column("project_id", String(64), nullable=False),
        Column("body", Text, nullable=False),
        *columns,
    )


projects = Table(
    "projects",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(128), nullable=False, unique=True),
    Column("created_at", Float, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("project_id", String(64), nullable=False),
    Column("hint", String(32), nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", Float, nullable=False),
)

assistants = _object_table("assistants", Index("assistants_of_project", "project_id", "seq"))

threads = _object_table(
    "threads",
    # How often messages of the thread were edited or deleted: what was read before an edit is stale after it.
    Column("edits", Integer, nullable=False, server_default="0"),
    Index("threads_of_project", "project_id", "seq"),
)

messages = _object_table(
    "messages",
    Column("thread_id", String(64), nullable=False),
    Column("run_id", String(64)),
    Column("status", String(16), nullable=False),
    Column("tokens", Integer),
    Column("tokenizer", String(128)),
    Index("messages_of_thread", "thread_id", "seq"),
    Index("messages_of_run", "run_id", "seq"),
)

runs = _object_table(
    "runs",
    Column("thread_id", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", Float),
    Column("last_event", Integer, nullable=False),
    Index("runs_of_thread", "thread_id", "seq"),
    Index(
        "one_active_run_per_thread",
        "thread_id",
        unique=True,
        sqlite_where=text("active = 1"),
        postgresql_where=text("active"),
    ),
    Index("active_runs", "expires_at", sqlite_where=text("active = 1"), postgresql_where=text("active")),
    Index("ended_runs", "ended_at"),
)

run_steps = _object_table(
    "run_steps",
    Column("thread_id", String(64), nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    # The thread's newest message when the step was made: it says where in the conversation the step stands.
    Column("after_message", BigInteger, nullable=False),
    Index("steps_of_run", "run_id", "seq"),
    Index("steps_of_thread", "thread_id", "seq"),
)

run_events = Table(
    "run_events",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("name", String(64), nullable=False),
    Column("data", Text, nullable=False),
    sqlite_with_rowid=False,
)

jobs = Table(
    "jobs",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("kind", String(32), nullable=False),
    Column("key", String(64), nullable=False),
    Column("worker", String(64)),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("lease_until", Float, nullable=False, server_default="0"),
    Column("origin", String(MAX_LENGTH)),
    UniqueConstraint("kind", "key", name="one_job_per_key"),
)

files = _object_table(
    "files",
    Column("purpose", String(32), nullable=False),
    Index("files_of_project", "project_id", "seq"),
)
