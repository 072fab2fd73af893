"""Alembic's entry: runs the revisions on the connection that store.migrate gives it."""

from alembic import context

from zhuli.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
