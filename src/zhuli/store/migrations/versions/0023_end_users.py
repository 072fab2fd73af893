"""whose stored answers are, and records of deletions of end users"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "end_user_deletions",
        sa.Column("seq", _SEQ, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("end_user", sa.String(length=256)),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("deletions_of_project", "end_user_deletions", ["project_id", "seq"])
    op.create_index("deletions_by_age", "end_user_deletions", ["project_id", "created_at"])
    op.create_index(
        "one_active_deletion_per_user",
        "end_user_deletions",
        ["project_id", "digest"],
        unique=True,
        sqlite_where=sa.text("end_user IS NOT NULL"),
        postgresql_where=sa.text("end_user IS NOT NULL"),
    )
    op.add_column("served_predictions", sa.Column("asked_by", sa.String(length=256)))
    op.add_column("predictions", sa.Column("end_user", sa.String(length=256)))
    op.add_column("chat_completions", sa.Column("end_user", sa.String(length=256)))


def downgrade() -> None:
    for table, column in (
        ("served_predictions", "asked_by"),
        ("predictions", "end_user"),
        ("chat_completions", "end_user"),
    ):
        with op.batch_alter_table(table) as batch:
            batch.drop_column(column)
    op.drop_table("end_user_deletions")
