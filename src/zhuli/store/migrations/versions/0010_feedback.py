"""feedback, data sets"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _objects(
        "feedback",
        sa.Column("target_type", sa.String(length=16), nullable=False),
        sa.Column("target_id", sa.String(length=64), nullable=False),
        sa.Column("end_user", sa.String(length=256), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=True),
        sa.UniqueConstraint("project_id", "key", name="one_feedback_per_key"),
    )
    op.create_index("feedback_of_project", "feedback", ["project_id", "state", "seq"])
    op.create_index("feedback_of_target", "feedback", ["target_id"])
    op.create_index("feedback_of_end_user", "feedback", ["project_id", "end_user"])
    _objects(
        "feedback_reviews",
        sa.Column("feedback_id", sa.String(length=64), nullable=False),
        sa.Column("reviewer", sa.String(length=256), nullable=False),
    )
    op.create_index("reviews_of_feedback", "feedback_reviews", ["feedback_id", "seq"])
    op.create_index("reviews_of_project", "feedback_reviews", ["project_id", "reviewer", "seq"])
    _objects(
        "predictions",
        sa.Column("model", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("predictions_of_model", "predictions", ["project_id", "model", "seq"])
    op.create_index("predictions_by_age", "predictions", ["created_at"])
    op.create_table(
        "followers",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    _datasets()


def _datasets() -> None:
    _objects("datasets")
    op.create_index("datasets_of_project", "datasets", ["project_id", "seq"])
    op.create_table(
        "dataset_entries",
        sa.Column("seq", _SEQ, autoincrement=True, nullable=False),
        sa.Column("dataset_id", sa.String(length=64), nullable=False),
        sa.Column("example_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("source_id", sa.String(length=64), nullable=True),
        sa.Column("end_user", sa.String(length=256), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("entries_of_dataset", "dataset_entries", ["dataset_id", "seq"])
    op.create_index("entries_of_example", "dataset_entries", ["dataset_id", "example_id", "seq"])
    sourced = sa.text("source_id IS NOT NULL")
    op.create_index(
        "entries_of_source", "dataset_entries", ["source_id"], sqlite_where=sourced, postgresql_where=sourced
    )
    known = sa.text("end_user IS NOT NULL")
    op.create_index("entries_of_end_user", "dataset_entries", ["end_user"], sqlite_where=known, postgresql_where=known)
    _objects(
        "dataset_tasks",
        sa.Column("dataset_id", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
    )
    op.create_index("tasks_of_dataset", "dataset_tasks", ["dataset_id", "seq"])
    _objects(
        "dataset_versions",
        sa.Column("dataset_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.UniqueConstraint("dataset_id", "digest", name="one_version_per_content"),
    )
    op.create_index("versions_of_dataset", "dataset_versions", ["dataset_id", "seq"])
    op.create_table(
        "dataset_version_sources",
        sa.Column("version_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("source_id", sa.String(length=256), nullable=False),
        sa.Column("deleted_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("version_id", "kind", "source_id"),
    )
    op.create_index("versions_of_source", "dataset_version_sources", ["kind", "source_id"])


def _objects(name: str, *more: sa.Column[object] | sa.UniqueConstraint) -> None:
    op.create_table(
        name,
        sa.Column("seq", _SEQ, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        *more,
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
    )


def downgrade() -> None:
    for name in (
        "dataset_version_sources",
        "dataset_versions",
        "dataset_tasks",
        "dataset_entries",
        "datasets",
        "followers",
        "predictions",
        "feedback_reviews",
        "feedback",
    ):
        op.drop_table(name)
