"""No service can read the tables of another, whatever its code tries."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from yard.testkit.platform import Platform

SERVICES = sorted(path.parents[3].name for path in Path("services").glob("*/src/yard/*/migrations"))


def connect(platform: Platform, role: str) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host="127.0.0.1",
        port=platform.port("postgres"),
        user=role,
        password=platform.secret(f"database_{role}"),
        dbname="frameyard",
        autocommit=True,
    )


@pytest.mark.parametrize("service", SERVICES)
def test_a_role_reads_its_own_schema_and_no_other(platform: Platform, service: str) -> None:
    with connect(platform, service) as connection:
        assert connection.execute("SELECT count(*) FROM outbox").fetchone() is not None
        for other in SERVICES:
            if other != service:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"SELECT count(*) FROM {other}.outbox")
