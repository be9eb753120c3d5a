"""Schema changes: the runtime's own tables first, then the service's, under one lock."""

import asyncio
from importlib import resources

import sqlalchemy
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection, make_url

RUNTIME = "yard.runtime.migrations"
LOCK = 0x66726D79
LOCK_TIMEOUT_S = 120


async def upgrade(url: str, package: str) -> None:
    """Bring the role's own schema up to date; idempotent, and safe when replicas start together."""
    await asyncio.to_thread(_upgrade, url, package)


def _upgrade(url: str, package: str) -> None:
    engine = sqlalchemy.create_engine(
        make_url(url).set(drivername="postgresql+psycopg"), poolclass=sqlalchemy.NullPool
    )
    with engine.connect() as connection:
        _lock_schema(connection)
        _upgrade_to_head(connection, RUNTIME, "runtime_version")
        _upgrade_to_head(connection, package, "service_version")
    engine.dispose()


def _lock_schema(connection: Connection) -> None:
    """Hold a session lock per role, and make sure that the role's schema exists."""
    connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT_S}s'")
    connection.exec_driver_sql(f"SELECT pg_advisory_lock({LOCK}, hashtext(current_user))")
    has_schema = connection.exec_driver_sql(
        "SELECT to_regnamespace(quote_ident(current_user)) IS NOT NULL"
    ).scalar()
    if not has_schema:
        connection.exec_driver_sql("CREATE SCHEMA AUTHORIZATION CURRENT_USER")
    connection.commit()


def _upgrade_to_head(connection: Connection, package: str, version_table: str) -> None:
    config = Config()
    config.set_main_option(
        "script_location", str(resources.files("yard.runtime") / "migrations" / "environment")
    )
    config.set_main_option("version_locations", _folder(package))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, version_table=version_table)
    command.upgrade(config, "head")


def _folder(package: str) -> str:
    """The folder of revision files; they are read as files, so the package is never imported."""
    parent, _, name = package.rpartition(".")
    return str(resources.files(parent) / name)
