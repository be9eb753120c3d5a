"""Alembic's entry: runs the chosen revisions on the connection that holds the lock."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table=context.config.attributes["version_table"])
with context.begin_transaction():
    context.run_migrations()
connection.commit()
