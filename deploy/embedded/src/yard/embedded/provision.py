"""One database with a schema and a role for each service, and the bucket; all idempotent."""

import io
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import psycopg
from minio import Minio
from psycopg import sql

DATABASE = "frameyard"


def provision_database(url: str, passwords: Mapping[str, str], *, database: str = DATABASE) -> dict[str, str]:
    """Makes the database, and a role and a schema for each service; returns the services' addresses."""
    with psycopg.connect(url, autocommit=True) as connection:
        _create_database(connection, database)
        for role, password in passwords.items():
            _create_role(connection, role, password)
        admit_only(connection, database, passwords)
    inside = urlsplit(url)._replace(path=f"/{database}")
    with psycopg.connect(inside.geturl(), autocommit=True) as connection:
        connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        for role in passwords:
            name = sql.Identifier(role)
            connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}").format(name, name))
    return {
        role: inside._replace(netloc=f"{role}:{password}@{inside.hostname}:{inside.port}").geturl()
        for role, password in passwords.items()
    }


def provision_bucket(client: Minio, bucket: str) -> None:
    """Makes the bucket and proves with one object that it takes bytes."""
    if not client.bucket_exists(bucket_name=bucket):
        client.make_bucket(bucket_name=bucket)
    client.put_object(bucket_name=bucket, object_name="probe", data=io.BytesIO(b"ok"), length=2)
    client.remove_object(bucket_name=bucket, object_name="probe")


def admit_only(connection: psycopg.Connection[Any], database: str, roles: Iterable[str]) -> None:
    """Nobody but these roles may connect; a clone of a database does not inherit this."""
    name = sql.Identifier(database)
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    for role in roles:
        grant = sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}")
        connection.execute(grant.format(name, sql.Identifier(role)))


def _create_database(connection: psycopg.Connection[Any], database: str) -> None:
    name = sql.Identifier(database)
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
    if found is None:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))


def _create_role(connection: psycopg.Connection[Any], role: str, password: str) -> None:
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verb = sql.SQL("CREATE" if found is None else "ALTER")
    statement = sql.SQL("{} ROLE {} LOGIN PASSWORD {}")
    connection.execute(statement.format(verb, sql.Identifier(role), sql.Literal(password)))
