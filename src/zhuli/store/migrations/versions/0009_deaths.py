"""how often a job was alone in a process that died"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("deaths", sa.Integer(), server_default="0", nullable=False))
        batch_op.create_index(
            "held_jobs",
            ["worker"],
            sqlite_where=sa.text("worker IS NOT NULL"),
            postgresql_where=sa.text("worker IS NOT NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_index("held_jobs")
        batch_op.drop_column("deaths")
