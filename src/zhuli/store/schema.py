"""The tables. Alembic's migrations make them; this is what queries are written against.

`seq` orders rows as they were made, also within one second. `body` is the object's JSON as the wire has it; the columns
beside it exist to find rows by. A JSON body is text, not a JSON type: it is written once, read whole, and sent as it is.
"""

from typing import Any

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
    false,
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


def _usage_columns() -> list[Column[Any]]:
    names = [Column(name, String(length), nullable=False) for name, length in _USAGE_NAMES.items()]
    numbers = ("requests", "input_tokens", "cached_tokens", "output_tokens")
    return [*names, *(Column(name, BigInteger, nullable=False) for name in numbers)]


_USAGE_NAMES = {"kind": 16, "project_id": 64, "api_key_id": 64, "model": 256}

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
    Column("name", String(256)),
    # Words with spaces between them.
    Column("scopes", String(256), nullable=False, server_default="admin"),
    Column("expires_at", Float),
    Column("used_at", Float),
    # A key that was revoked stays: where there was one, nobody comes in without.
    Column("revoked_at", Float),
)

# What a key or a project may use; where there is no row, the settings' default holds.
limits = Table(
    "limits",
    metadata,
    Column("subject", String(64), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("amount", BigInteger, nullable=False),
)

# What was taken of a limit, leased parts included: amounts by slot, as JSON.
limit_windows = Table(
    "limit_windows",
    metadata,
    Column("subject", String(64), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("slots", Text, nullable=False),
    Column("changed_at", Float, nullable=False),
)

# What models were asked for: each process writes rows of its own, with what it has counted of a minute so far.
usage_minutes = Table(
    "usage_minutes",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("start", BigInteger, nullable=False),
    Column("process", String(64), nullable=False),
    *_usage_columns(),
    UniqueConstraint("start", "process", "kind", "project_id", "api_key_id", "model", name="one_count_per_minute"),
    Index("usage_minutes_of_project", "project_id", "kind", "start"),
)

# The fold of minutes that are old.
usage_hours = Table(
    "usage_hours",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("start", BigInteger, nullable=False),
    *_usage_columns(),
    UniqueConstraint("start", "kind", "project_id", "api_key_id", "model", name="one_count_per_hour"),
    Index("usage_hours_of_project", "project_id", "kind", "start"),
)

# Who did what, when and from where. Nothing of it is ever changed: a trigger refuses that.
audit_log = _object_table(
    "audit_log",
    Column("at", Float, nullable=False),
    Column("type", String(64), nullable=False),
    Column("actor", String(256), nullable=False),
    Column("resource", String(256), nullable=False),
    Index("audit_log_of_project", "project_id", "seq"),
    Index("audit_log_by_age", "at"),
)

assistants = _object_table("assistants", Index("assistants_of_project", "project_id", "seq"))

threads = _object_table(
    "threads",
    # How often messages of the thread were edited or deleted: what was read before an edit is stale after it.
    Column("edits", Integer, nullable=False, server_default="0"),
    # "client"; or "responses": of a chain of responses, deleted with the last of them; or "passing": of one that is not stored.
    Column("made_for", String(16), nullable=False, server_default="client"),
    # The thread from which it branched off, and its last message and step that belong to this one, too.
    Column("parent_id", String(64)),
    Column("parent_message", BigInteger),
    Column("parent_step", BigInteger),
    Index("threads_of_project", "project_id", "seq"),
    Index(
        "branches_of_thread",
        "parent_id",
        sqlite_where=text("parent_id IS NOT NULL"),
        postgresql_where=text("parent_id IS NOT NULL"),
    ),
    Index(
        "passing_threads",
        "seq",
        sqlite_where=text("made_for = 'passing'"),
        postgresql_where=text("made_for = 'passing'"),
    ),
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
    # Of a response: what it was asked with that no run has (types/assistants/response.Asked), the thread's last message and
    # step that it was given, and whether it was deleted.
    Column("asked", Text),
    Column("input_message", BigInteger),
    Column("input_step", BigInteger),
    Column("response_deleted", Boolean, nullable=False, server_default=false()),
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

# Beside the steps of runs, the items of a conversation that are neither messages nor a run's: run_id is empty, status "item".
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
    Column("key", String(128), nullable=False),
    Column("worker", String(64)),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("deaths", Integer, nullable=False, server_default="0"),
    Column("lease_until", Float, nullable=False, server_default="0"),
    Column("origin", String(MAX_LENGTH)),
    UniqueConstraint("kind", "key", name="one_job_per_key"),
    Index("jobs_by_kind", "kind", "seq"),
    Index("held_jobs", "worker", sqlite_where=text("worker IS NOT NULL"), postgresql_where=text("worker IS NOT NULL")),
)

files = _object_table(
    "files",
    Column("purpose", String(32), nullable=False),
    Column("expires_at", BigInteger),
    Index("files_of_project", "project_id", "seq"),
    Index("files_that_expire", "expires_at"),
)

uploads = _object_table(
    "uploads",
    Column("status", String(16), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("uploads_that_expire", "status", "expires_at"),
)

upload_parts = _object_table(
    "upload_parts",
    Column("upload_id", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Index("parts_of_upload", "upload_id", "seq"),
)

vector_stores = _object_table(
    "vector_stores",
    # The embedder that made its vectors; another one's would mean nothing beside them.
    Column("embedder", String(64), nullable=False),
    Column("expires_at", BigInteger),
    Column("last_active_at", BigInteger, nullable=False),
    # The number of its last change: whoever changes the store takes the next one under this row's lock.
    Column("changes", Integer, nullable=False, server_default="0"),
    Index("vector_stores_of_project", "project_id", "seq"),
    Index("vector_stores_that_expire", "expires_at"),
)

# `id` is VECTOR_STORE/FILE: a file is in a store once. `seq` is never used twice, so it names this stay in indexes.
vector_store_files = Table(
    "vector_store_files",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("id", String(128), nullable=False, unique=True),
    Column("project_id", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("vector_store_id", String(64), nullable=False),
    Column("file_id", String(64), nullable=False),
    Column("batch_id", String(64)),
    Column("status", String(16), nullable=False),
    Column("usage_bytes", BigInteger, nullable=False, server_default="0"),
    Index("files_of_vector_store", "vector_store_id", "seq"),
    Index("counts_of_vector_store", "vector_store_id", "status", "usage_bytes"),
    Index("counts_of_batch", "batch_id", "status"),
    Index("vector_stores_of_file", "file_id"),
    sqlite_autoincrement=True,
)

vector_store_file_batches = _object_table(
    "vector_store_file_batches",
    Column("vector_store_id", String(64), nullable=False),
    Index("batches_of_vector_store", "vector_store_id"),
)

# Which assistants and threads name a store, to find them when it is deleted. A row may outlive its use.
vector_store_users = Table(
    "vector_store_users",
    metadata,
    Column("vector_store_id", String(64), primary_key=True),
    Column("user_id", String(64), primary_key=True),
)

# What of a file is searched. A file's chunks count from the change on that says so; before, they are work in progress.
chunks = Table(
    "chunks",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("store_file", BigInteger, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("section", Text, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    Column("page", Integer),
    Column("tokens", Integer, nullable=False),
    # SHA-256 of the embedder's name and what was embedded: the same content is embedded once.
    Column("digest", LargeBinary(32), nullable=False),
    # Half floats, little-endian.
    Column("vector", LargeBinary, nullable=False),
    UniqueConstraint("store_file", "ordinal", name="chunks_of_file"),
    Index("chunks_by_content", "digest"),
    sqlite_autoincrement=True,
)

# What happened to each store's files, in order: indexes follow it. kind: added, removed, or attributes.
vector_store_changes = Table(
    "vector_store_changes",
    metadata,
    Column("vector_store_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("store_file", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Index("changes_of_file", "store_file"),
)

fine_tuning_jobs = _object_table(
    "fine_tuning_jobs",
    Column("status", String(24), nullable=False),
    # The number of the last entry of the tuning's events.jsonl that is known here.
    Column("last_event", Integer, nullable=False, server_default="0"),
    Index("fine_tuning_jobs_of_project", "project_id", "seq"),
)

fine_tuning_events = _object_table(
    "fine_tuning_events",
    Column("job_id", String(64), nullable=False),
    Index("events_of_fine_tuning_job", "job_id", "seq"),
)

fine_tuning_checkpoints = _object_table(
    "fine_tuning_checkpoints",
    Column("job_id", String(64), nullable=False),
    Index("checkpoints_of_fine_tuning_job", "job_id", "seq"),
)

domains = _object_table("domains", Index("domains_of_project", "project_id", "seq"))

# What was understood of each message, in order: a thread's dialogue state is the fold of their changes.
understandings = _object_table(
    "understandings",
    Column("thread_id", String(64), nullable=False),
    Column("message_id", String(64)),
    Column("run_id", String(64)),
    Index("understandings_of_thread", "thread_id", "seq"),
    Index("understanding_of_message", "message_id"),
)

# Models that were tuned or imported here. name: ft:BASE:PROJECT:SUFFIX:ID, for a checkpoint with :ckpt-step-N.
tuned_models = Table(
    "tuned_models",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("project_id", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Index("tuned_models_of_project", "project_id", "seq"),
)

# Where an alias led over time: it leads to the model of its last row. A model of null: the alias was given up.
model_alias_moves = Table(
    "model_alias_moves",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("project_id", String(64), nullable=False),
    Column("alias", String(128), nullable=False),
    Column("model", String(255)),
    Column("at", Float, nullable=False),
    Column("back", Boolean, server_default=false(), nullable=False),
    Index("moves_of_alias", "project_id", "alias", "seq"),
)

evals = _object_table(
    "evals",
    Column("updated_at", BigInteger, nullable=False),
    Index("evals_of_project", "project_id", "seq"),
)

# data_source: the request's, as JSON: it is large and never changes, while the body does with every item.
eval_runs = _object_table(
    "eval_runs",
    Column("eval_id", String(64), nullable=False),
    Column("status", String(24), nullable=False),
    Column("data_source", Text, nullable=False),
    Index("runs_of_eval", "eval_id", "seq"),
)

# The items of a run, numbered from 0. status: waiting, pass, fail, error. given: {"item", "sample"}, until there is a body,
# which is empty before. digest: of the item, by which those of two runs are paired.
eval_items = _object_table(
    "eval_items",
    Column("run_id", String(64), nullable=False),
    Column("number", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("given", Text, nullable=False),
    UniqueConstraint("run_id", "number", name="item_of_run"),
)

# What was decided about the model behind an alias, in order: its policy is the last policy_set, a candidate the fold of its rows.
alias_decisions = _object_table(
    "alias_decisions",
    Column("alias", String(128), nullable=False),
    Column("candidate_id", String(64)),
    Column("kind", String(32), nullable=False),
    Index("decisions_of_alias", "project_id", "alias", "seq"),
    Index("decisions_of_candidate", "candidate_id", "seq"),
    Index("decisions_by_kind", "kind", "seq"),
)

alias_candidates = _object_table(
    "alias_candidates",
    Column("alias", String(128), nullable=False),
    Column("active", Boolean, nullable=False),
    Index("candidates_of_alias", "project_id", "alias", "seq"),
    Index(
        "one_active_candidate_per_alias",
        "project_id",
        "alias",
        unique=True,
        sqlite_where=text("active = 1"),
        postgresql_where=text("active"),
    ),
)

# What is kept of what a model answered under an alias, to see drift and to compare two: the newest, and the reference.
# role: champion, candidate or shadow. vector: half floats, little-endian. agreed: a shadow that said what was heard.
served_predictions = Table(
    "served_predictions",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("project_id", String(64), nullable=False),
    Column("alias", String(128), nullable=False),
    Column("model", String(255), nullable=False),
    Column("role", String(16), nullable=False),
    Column("at", Float, nullable=False),
    Column("prediction_id", String(64)),
    Column("label", String(512)),
    Column("confidence", Float),
    Column("seconds", Float, nullable=False),
    Column("error", Boolean, nullable=False),
    Column("agreed", Boolean),
    Column("text", Text),
    Column("vector", LargeBinary),
    # For whom: the thread, or the request's user.
    Column("asked_by", String(256)),
    Index("served_by_alias", "project_id", "alias", "seq"),
    Index("served_by_model", "project_id", "alias", "model", "seq"),
    sqlite_autoincrement=True,
)

# Windows of an alias's traffic that were looked at. since: the alias's move to the model; number -1: the reference is full.
drift_windows = Table(
    "drift_windows",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("project_id", String(64), nullable=False),
    Column("alias", String(128), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("fired", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("project_id", "alias", "since", "number", name="one_row_per_window"),
)

# What was answered to POSTs with an Idempotency-Key, for a day. id: a digest of project, path and key. digest: of the body.
# answer: null while the request is at work, which is so until lease_until; owner: which request it is.
kept_answers = Table(
    "kept_answers",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("lease_until", Float, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("answer", Text),
    Column("position", Integer, server_default="0", nullable=False),
    Index("kept_answers_by_age", "created_at"),
)

chat_completions = _object_table(
    "chat_completions",
    Column("model", String(255), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # The messages of the request, as JSON: they are long, and read only when they are asked for.
    Column("messages", Text, nullable=False),
    Column("end_user", String(256)),
    Index("chat_completions_of_project", "project_id", "seq"),
    Index("chat_completions_by_age", "created_at"),
)

chat_completion_metadata = Table(
    "chat_completion_metadata",
    metadata,
    Column("completion_id", String(64), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("value", String(512), nullable=False),
)

# What people said of answers: a row is the fold of what was given and of its reviews. key: the client's own name for it.
feedback = _object_table(
    "feedback",
    Column("target_type", String(16), nullable=False),
    Column("target_id", String(64), nullable=False),
    Column("end_user", String(256)),
    Column("source", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("key", String(128)),
    UniqueConstraint("project_id", "key", name="one_feedback_per_key"),
    Index("feedback_of_project", "project_id", "state", "seq"),
    Index("feedback_of_target", "target_id"),
    Index("feedback_of_end_user", "project_id", "end_user"),
)

# The log of reviews, in order.
feedback_reviews = _object_table(
    "feedback_reviews",
    Column("feedback_id", String(64), nullable=False),
    Column("reviewer", String(256), nullable=False),
    Index("reviews_of_feedback", "feedback_id", "seq"),
    Index("reviews_of_project", "project_id", "reviewer", "seq"),
)

# Predictions that were to be stored, with what was asked.
predictions = _object_table(
    "predictions",
    Column("model", String(255), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("end_user", String(256)),
    Index("predictions_of_model", "project_id", "model", "seq"),
    Index("predictions_by_age", "created_at"),
)

# How far a follower of logs has looked. Looking again from an earlier place does no harm.
followers = Table(
    "followers",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("position", Float, nullable=False),
)

datasets = _object_table("datasets", Index("datasets_of_project", "project_id", "seq"))

# The log of a data set: examples that were added, labelled anew, or removed. What is in it is the fold. body: null once its
# end user was deleted.
dataset_entries = Table(
    "dataset_entries",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("dataset_id", String(64), nullable=False),
    Column("example_id", String(64), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("body", Text),
    Column("source_id", String(64)),
    Column("end_user", String(256)),
    Index("entries_of_dataset", "dataset_id", "seq"),
    Index("entries_of_example", "dataset_id", "example_id", "seq"),
    # A file's entries are many, and found by the data set; they have no source here.
    Index(
        "entries_of_source",
        "source_id",
        sqlite_where=text("source_id IS NOT NULL"),
        postgresql_where=text("source_id IS NOT NULL"),
    ),
    Index(
        "entries_of_end_user",
        "end_user",
        sqlite_where=text("end_user IS NOT NULL"),
        postgresql_where=text("end_user IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

# Work on a data set that takes long: imports, versions being made, searches for wrong labels, weak labels.
dataset_tasks = _object_table(
    "dataset_tasks",
    Column("dataset_id", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Index("tasks_of_dataset", "dataset_id", "seq"),
)

# A version is made once, and never changed. digest: of its content.
dataset_versions = _object_table(
    "dataset_versions",
    Column("dataset_id", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    UniqueConstraint("dataset_id", "digest", name="one_version_per_content"),
    Index("versions_of_dataset", "dataset_id", "seq"),
)

# What a version came of: kind is that of the source (feedback, thread, understanding, file, weak), or "user" for end users.
# deleted_at: when that user was deleted; the version, and the models of it, have seen them.
dataset_version_sources = Table(
    "dataset_version_sources",
    metadata,
    Column("version_id", String(64), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("source_id", String(256), primary_key=True),
    Column("deleted_at", Float),
    Index("versions_of_source", "kind", "source_id"),
)

# Deletions of end users. digest: of the project's and the user's id; end_user: only while something is left to be deleted.
end_user_deletions = _object_table(
    "end_user_deletions",
    Column("digest", String(64), nullable=False),
    Column("end_user", String(256)),
    Column("created_at", Float, nullable=False),
    Index("deletions_of_project", "project_id", "seq"),
    Index(
        "one_active_deletion_per_user",
        "project_id",
        "digest",
        unique=True,
        sqlite_where=text("end_user IS NOT NULL"),
        postgresql_where=text("end_user IS NOT NULL"),
    ),
    Index("deletions_by_age", "project_id", "created_at"),
)

moderation_thresholds = Table(
    "moderation_thresholds",
    metadata,
    Column("project_id", String(64), primary_key=True),
    Column("body", Text, nullable=False),
)

audits = _object_table(
    "audits",
    Column("status", String(16), nullable=False),
    Index("audits_of_project", "project_id", "seq"),
)

opinion_monitors = _object_table("opinion_monitors", Index("opinion_monitors_of_project", "project_id", "seq"))

# How far a monitor is. received: the number of its last entry; read: of the last that was read; watermark: the newest event time
# of what was read; evaluated: the hour (since the epoch) up to which surges were looked for.
opinion_progress = Table(
    "opinion_progress",
    metadata,
    Column("monitor_id", String(64), primary_key=True),
    Column("project_id", String(64), nullable=False),
    Column("received", BigInteger, nullable=False, server_default="0"),
    Column("read", BigInteger, nullable=False, server_default="0"),
    Column("watermark", Float),
    Column("evaluated", BigInteger),
    Column("failure", String(2048)),
)

# The log of what was pushed: numbers are a monitor's own, in the order of commits. body: null once its person was deleted.
# On PostgreSQL it is partitioned by number.
opinion_entries = Table(
    "opinion_entries",
    metadata,
    Column("monitor_id", String(64), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("key", String(256), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", Text),
)

# Items as they are now: the fold of the entries and of what was read in them. story: the key of the item that it repeats;
# counted: what it adds to the counts, as JSON; signature: for near duplicates. On PostgreSQL it is partitioned by key.
opinion_items = Table(
    "opinion_items",
    metadata,
    Column("monitor_id", String(64), primary_key=True),
    Column("key", String(256), primary_key=True),
    Column("id", String(64), nullable=False),
    Column("project_id", String(64), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("digest", String(32), nullable=False),
    Column("end_user", String(256)),
    Column("story", String(256)),
    Column("body", Text, nullable=False),
    Column("reading", Text),
    Column("counted", Text),
    Column("signature", LargeBinary),
    Index("opinion_items_by_time", "monitor_id", "at"),
    Index("opinion_items_by_number", "monitor_id", "number"),
    Index("opinion_items_by_id", "id"),
    Index(
        "opinion_items_of_story",
        "monitor_id",
        "story",
        sqlite_where=text("story IS NOT NULL"),
        postgresql_where=text("story IS NOT NULL"),
    ),
    Index(
        "opinion_items_of_end_user",
        "project_id",
        "end_user",
        sqlite_where=text("end_user IS NOT NULL"),
        postgresql_where=text("end_user IS NOT NULL"),
    ),
)

# Stories and their reach by series and hour since the epoch: the fold of what items were counted as.
opinion_counts = Table(
    "opinion_counts",
    metadata,
    Column("monitor_id", String(64), primary_key=True),
    Column("series", String(192), primary_key=True),
    Column("hour", BigInteger, primary_key=True, autoincrement=False),
    Column("positive", Integer, nullable=False),
    Column("neutral", Integer, nullable=False),
    Column("negative", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
    Column("reach", Integer, nullable=False),
    Column("negative_reach", Integer, nullable=False),
    Index("opinion_counts_by_hour", "monitor_id", "hour"),
)

# An alert is the fold of its log. onset_hour: with the series it tells a surge from every other.
opinion_alerts = _object_table(
    "opinion_alerts",
    Column("monitor_id", String(64), nullable=False),
    Column("series", String(192), nullable=False),
    Column("state", String(16), nullable=False),
    Column("last_hour", BigInteger, nullable=False),
    Column("silenced_until", Float),
    # When it is to be escalated, unless somebody acknowledges it.
    Column("escalates_at", Float),
    Index("opinion_alerts_of_monitor", "monitor_id", "seq"),
    Index("opinion_alerts_of_series", "monitor_id", "series", "seq"),
    Index(
        "opinion_alerts_to_escalate",
        "escalates_at",
        sqlite_where=text("escalates_at IS NOT NULL"),
        postgresql_where=text("escalates_at IS NOT NULL"),
    ),
)

opinion_alert_events = _object_table(
    "opinion_alert_events",
    Column("alert_id", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Index("opinion_events_of_alert", "alert_id", "seq"),
)

# What is to be delivered. destination: as JSON, with its secret; due_at: null when it was delivered or given up.
opinion_deliveries = Table(
    "opinion_deliveries",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("project_id", String(64), nullable=False),
    Column("monitor_id", String(64), nullable=False),
    Column("alert_id", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("destination", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Float),
    Index(
        "opinion_deliveries_due",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    Index("opinion_deliveries_of_alert", "alert_id"),
)

recommenders = _object_table("recommenders", Index("recommenders_of_project", "project_id", "seq"))

# The items of a recommender as they are now; whatever changes an item gives it a new seq, so that readers can follow.
# body: null of one that was removed. vector: of its text, half floats, little-endian; null until it is made.
recommender_items = Table(
    "recommender_items",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("recommender_id", String(64), nullable=False),
    Column("item_id", String(128), nullable=False),
    Column("body", Text),
    Column("vector", LargeBinary),
    UniqueConstraint("recommender_id", "item_id", name="one_row_per_item"),
    Index("items_of_recommender", "recommender_id", "seq"),
    sqlite_autoincrement=True,
)

# The log of what users did. event_id: the client's own. at: in seconds. list_id: of the recommendations that it came of.
recommender_events = Table(
    "recommender_events",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("recommender_id", String(64), nullable=False),
    Column("event_id", String(128), nullable=False),
    Column("end_user", String(256), nullable=False),
    Column("item_id", String(128), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("value", Float),
    Column("at", Float, nullable=False),
    Column("list_id", String(64)),
    UniqueConstraint("recommender_id", "event_id", name="one_row_per_event"),
    Index("events_of_recommender", "recommender_id", "seq"),
    Index("events_of_user", "recommender_id", "end_user", "at"),
    # Few events come of a list.
    Index(
        "events_of_list",
        "list_id",
        sqlite_where=text("list_id IS NOT NULL"),
        postgresql_where=text("list_id IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

# Lists as they were shown, with what stood where and how likely that was. way_a, way_b: of an interleaved one.
recommender_lists = _object_table(
    "recommender_lists",
    Column("recommender_id", String(64), nullable=False),
    Column("end_user", String(256), nullable=False),
    Column("way_a", String(16)),
    Column("way_b", String(16)),
    Index("lists_of_user", "recommender_id", "end_user"),
    Index(
        "lists_compared",
        "recommender_id",
        "way_a",
        "way_b",
        sqlite_where=text("way_a IS NOT NULL"),
        postgresql_where=text("way_a IS NOT NULL"),
    ),
)

recommender_trainings = _object_table(
    "recommender_trainings",
    Column("recommender_id", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Index("trainings_of_recommender", "recommender_id", "seq"),
)

support_desks = _object_table("support_desks", Index("desks_of_project", "project_id", "seq"))

# Work on a desk that takes long: imports, publishing, evaluations.
support_tasks = _object_table(
    "support_tasks",
    Column("desk_id", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Index("support_tasks_of_desk", "desk_id", "seq"),
)

# The log of transcripts: a dialogue once, by the client's own id. Never changed; emptied where its end user is deleted.
support_dialogues = Table(
    "support_dialogues",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("desk_id", String(64), nullable=False),
    Column("dialogue_id", String(256), nullable=False),
    Column("task_id", String(64), nullable=False),
    Column("end_user", String(256)),
    Column("held_out", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("desk_id", "dialogue_id", name="one_row_per_dialogue"),
    Index("dialogues_of_task", "task_id", "seq"),
    Index("dialogues_of_end_user", "end_user"),
    sqlite_autoincrement=True,
)

# What happened to a proposal or a handoff: imports and people. The rows below are their folds.
support_events = Table(
    "support_events",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("desk_id", String(64), nullable=False),
    Column("subject_id", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("at", Float, nullable=False),
    Column("body", Text, nullable=False),
    Index("support_events_of_subject", "subject_id", "seq"),
    sqlite_autoincrement=True,
)

support_proposals = _object_table(
    "support_proposals",
    Column("desk_id", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("name", String(128), nullable=False),
    Column("status", String(16), nullable=False),
    UniqueConstraint("desk_id", "kind", "name", name="one_proposal_per_name"),
    Index("proposals_of_desk", "desk_id", "seq"),
)

support_handoffs = _object_table(
    "support_handoffs",
    Column("desk_id", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("message_id", String(64), nullable=False, unique=True),
    Column("thread_id", String(64), nullable=False),
    Index("handoffs_of_desk", "desk_id", "status", "seq"),
)
