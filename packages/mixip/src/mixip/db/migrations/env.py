"""Alembic's entry: runs the migrations on the connection that `migrate` opened."""

from alembic import context

from mixip.db.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transaction_per_migration=False,
    compare_type=True,
    render_as_batch=True,
)
context.run_migrations()
