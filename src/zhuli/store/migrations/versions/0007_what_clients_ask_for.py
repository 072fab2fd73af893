"""what clients ask for"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_answers",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("kept_answers", schema=None) as batch_op:
        batch_op.create_index("kept_answers_by_age", ["created_at"], unique=False)

    op.create_table(
        "chat_completions",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("model", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("messages", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
    )
    with op.batch_alter_table("chat_completions", schema=None) as batch_op:
        batch_op.create_index("chat_completions_by_age", ["created_at"], unique=False)
        batch_op.create_index("chat_completions_of_project", ["project_id", "seq"], unique=False)

    op.create_table(
        "chat_completion_metadata",
        sa.Column("completion_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=512), nullable=False),
        sa.PrimaryKeyConstraint("completion_id", "key"),
    )


def downgrade() -> None:
    op.drop_table("chat_completion_metadata")
    with op.batch_alter_table("chat_completions", schema=None) as batch_op:
        batch_op.drop_index("chat_completions_of_project")
        batch_op.drop_index("chat_completions_by_age")

    op.drop_table("chat_completions")
    with op.batch_alter_table("kept_answers", schema=None) as batch_op:
        batch_op.drop_index("kept_answers_by_age")

    op.drop_table("kept_answers")
