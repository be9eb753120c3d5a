import io
import socket
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg
import hypothesis
import nats
import psycopg
import pytest
from minio import Minio
from minio.error import S3Error
from yard.embedded.servers.nats import Nats
from yard.embedded.servers.postgres import Postgres
from yard.embedded.servers.s3 import S3
from yard.runtime.settings import RuntimeSettings, setting
from yard.testkit import eventually
from yard.testkit.fixtures import DatabaseUrl, SettingsFor, s3_client


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(RuntimeSettings):
    upload_max_bytes: int = setting(7, "Largest upload, bytes.")


async def test_each_database_is_fresh_and_owned_by_the_role_of_its_service(database_url: DatabaseUrl) -> None:
    first, second = database_url("task", migrations=""), database_url("task", migrations="")
    connection = await asyncpg.connect(first)
    await connection.execute("CREATE TABLE job (id bigint)")
    rows = await connection.fetch("SELECT schemaname, tableowner FROM pg_tables WHERE tablename = 'job'")
    await connection.close()
    assert [tuple(row) for row in rows] == [("task", "task")]

    connection = await asyncpg.connect(second)
    assert await connection.fetchval("SELECT to_regclass('job')") is None
    await connection.close()


def test_a_database_admits_its_own_service_only(database_url: DatabaseUrl) -> None:
    address = database_url("task", migrations="")
    database_url("export", migrations="")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(address.replace("//task:", "//export:"))


def test_buckets_are_fresh_and_need_the_key(s3_server: S3, fresh_bucket: Callable[[], str]) -> None:
    client = s3_client(s3_server)
    first, second = fresh_bucket(), fresh_bucket()
    client.put_object(bucket_name=first, object_name="a", data=io.BytesIO(b"x"), length=1)
    assert [item.object_name for item in client.list_objects(bucket_name=first)] == ["a"]
    assert list(client.list_objects(bucket_name=second)) == []

    stranger = Minio(
        endpoint=s3_server.address, access_key="test", secret_key="wrong", secure=False, region="us-east-1"
    )
    with pytest.raises(S3Error, match="SignatureDoesNotMatch"):
        list(stranger.list_objects(bucket_name=first))


async def test_the_broker_keeps_messages_and_address_over_a_kill(nats_server: Nats) -> None:
    client = await nats.connect(nats_server.url, token=nats_server.token)
    await client.jetstream().add_stream(name="S", subjects=["s"])
    await client.jetstream().publish("s", b"kept")
    await client.close()
    nats_server.kill()
    nats_server.start()

    client = await nats.connect(nats_server.url, token=nats_server.token)
    message = await client.jetstream().get_msg("S", 1)
    await client.close()
    assert message.data == b"kept"


def test_the_broker_refuses_who_has_no_token(nats_server: Nats) -> None:
    with (
        socket.create_connection(("127.0.0.1", nats_server.port), timeout=5) as client,
        client.makefile() as lines,
    ):
        client.sendall(b"CONNECT {}\r\nPING\r\n")
        assert [lines.readline()[:4], lines.readline().strip()] == ["INFO", "-ERR 'Authorization Violation'"]


async def test_settings_are_wired_to_the_servers(
    settings_for: SettingsFor, nats_server: Nats, s3_server: S3
) -> None:
    settings = settings_for(Settings, service="task", migrations="", upload_max_bytes=9)
    assert (settings.nats_url, settings.s3_endpoint, settings.upload_max_bytes) == (
        nats_server.url,
        s3_server.address,
        9,
    )
    assert s3_client(s3_server).bucket_exists(bucket_name=settings.s3_bucket)
    connection = await asyncpg.connect(settings.database_url)
    assert await connection.fetchval("SELECT current_schema()") == "task"
    await connection.close()


async def test_postgres_keeps_what_was_committed_over_a_kill(
    postgres_server: Postgres, database_url: DatabaseUrl
) -> None:
    url = database_url("task", migrations="")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS value")
    postgres_server.kill()
    postgres_server.start()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT value FROM kept").fetchone() == (42,)


def test_the_template_carries_the_runtimes_tables(database_url: DatabaseUrl) -> None:
    with psycopg.connect(database_url("probe")) as connection:
        row = connection.execute("SELECT to_regclass('probe.outbox')::text").fetchone()
    assert row == ("outbox",)


async def test_eventually_gives_back_the_first_true_value() -> None:
    values = iter([0, None, 3])
    assert await eventually(lambda: next(values)) == 3


async def test_eventually_says_what_failed_last() -> None:
    def check() -> bool:
        assert [1] == [2], "still empty"
        return True

    with pytest.raises(AssertionError, match="still empty"):
        await eventually(check, timeout_s=0.05)


def test_examples_of_properties_may_take_their_time() -> None:
    assert hypothesis.settings(max_examples=3).deadline is None
