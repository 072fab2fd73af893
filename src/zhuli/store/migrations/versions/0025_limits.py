"""limits of keys and projects, what was taken of them, and whose work a job is"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "limits",
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "name"),
    )
    op.create_table(
        "limit_windows",
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("slots", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "name"),
    )
    with op.batch_alter_table("jobs") as batch:
        batch.alter_column("origin", existing_type=sa.String(length=100), type_=sa.String(length=160))


def downgrade() -> None:
    op.execute("UPDATE jobs SET origin = NULL WHERE length(origin) > 100")
    with op.batch_alter_table("jobs") as batch:
        batch.alter_column("origin", existing_type=sa.String(length=160), type_=sa.String(length=100))
    op.drop_table("limit_windows")
    op.drop_table("limits")
