"""An event that no handler can read is listed by the command, stops no other, and can be driven again."""

import json

import psycopg
from frameyard.identity.v1 import identity_events_pb2, user_pb2
from yard.runtime import bus, clock, ids
from yard.testkit import eventually
from yard.testkit.platform import Platform

from tests.e2e.command_line import CommandLine

POISON = b"\xff\xff\xff"


async def publish(platform: Platform, user_id: int, body: bytes) -> str:
    event_id, type_name = str(ids.uuid7()), "frameyard.identity.v1.UserUpdated"
    headers = {
        "ce-id": event_id,
        "ce-type": type_name,
        "ce-source": "/frameyard/identity",
        "ce-subject": str(user_id),
        "ce-time": clock.now().isoformat(),
        "ce-sequence": "1",
        "ce-keyversion": "1",
    }
    url = f"nats://127.0.0.1:{platform.port('nats')}"
    client = await bus.connect(url, token=platform.secret("nats_token"))
    await client.jetstream().publish(f"frameyard.event.identity.UserUpdated.{user_id}", body, headers=headers)
    await client.close()
    return event_id


def tasks_of(platform: Platform) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(
        host="127.0.0.1",
        port=platform.port("postgres"),
        user="task",
        password=platform.secret("database_task"),
        dbname="frameyard",
        autocommit=True,
    )


async def test_a_poison_event_is_listed_and_driven_again(platform: Platform, command: CommandLine) -> None:
    event_id = await publish(platform, 900_001, POISON)

    def listed() -> list[dict[str, str]]:
        lines = command.good("admin", "dead-letters", "list", "task", "--json").out.splitlines()
        return [letter for line in lines if (letter := json.loads(line))["event_id"] == event_id]

    [letter] = await eventually(listed, timeout_s=30)
    good = identity_events_pb2.UserUpdated(
        user=user_pb2.User(id=900_002, username="behind-the-poison", is_active=True)
    )
    await publish(platform, 900_002, good.SerializeToString())
    with tasks_of(platform) as connection:
        known = "SELECT username FROM person WHERE id = %s"
        await eventually(lambda: connection.execute(known, (900_002,)).fetchone(), timeout_s=30)
        assert command.run("admin", "dead-letters", "redrive", "task", letter["id"]).code == 1
        assert len(listed()) == 1
        good.user.id = 900_001
        mended = "UPDATE dead_letter SET body = %s WHERE id = %s"
        connection.execute(mended, (good.SerializeToString(), letter["id"]))
        command.good("admin", "dead-letters", "redrive", "task", letter["id"])
        assert listed() == []
        assert connection.execute(known, (900_001,)).fetchone() == ("behind-the-poison",)
