import asyncio

import pytest
from frameyard.task.v1.task_events_pb2 import TaskCreated, TaskDeleted
from yard.runtime import auth, errors, housekeeping, ids
from yard.runtime.auth import Principal
from yard.runtime.db import Database, Transaction
from yard.runtime.idempotency import once

ANN = Principal(user_id=7, username="ann", role="user")
BOB = Principal(user_id=8, username="bob", role="user")


async def create(
    database: Database, request_id: str, *, who: Principal = ANN, name: str = "a", fails: bool = False
) -> int:
    """A create whose answer is the number of creates so far."""

    async def run(tx: Transaction) -> TaskDeleted:
        await tx.execute("INSERT INTO effect (key) VALUES ($1)", name)
        if fails:
            raise errors.Conflict("lost")
        return TaskDeleted(task_id=await tx.fetchval("SELECT count(*) FROM effect"))

    with auth.acting_as(who):
        async with database.transaction() as tx:
            answer = await once(tx, request_id, TaskCreated(name=name), TaskDeleted, lambda: run(tx))
    return answer.task_id


async def test_a_repeat_gets_the_first_answer(database: Database) -> None:
    request_id = str(ids.uuid7())
    assert [await create(database, request_id) for _ in range(3)] == [1, 1, 1]
    assert await create(database, str(ids.uuid7())) == 2
    assert await create(database, request_id) == 1


async def test_without_an_id_each_call_counts(database: Database) -> None:
    assert [await create(database, "") for _ in range(2)] == [1, 2]


async def test_ids_of_different_callers_have_nothing_to_do_with_each_other(database: Database) -> None:
    request_id = str(ids.uuid7())
    assert [await create(database, request_id, who=who) for who in (ANN, BOB)] == [1, 2]


async def test_an_id_cannot_be_used_for_something_else(database: Database) -> None:
    request_id = str(ids.uuid7())
    await create(database, request_id)
    with pytest.raises(errors.InvalidArgument) as caught:
        await create(database, request_id, name="b")
    assert [violation.field for violation in caught.value.violations] == ["request_id"]
    with pytest.raises(errors.InvalidArgument, match="must be a UUID"):
        await create(database, "first try")


async def test_a_failure_leaves_the_id_unused(database: Database) -> None:
    request_id = str(ids.uuid7())
    with pytest.raises(errors.Conflict):
        await create(database, request_id, fails=True)
    assert await create(database, request_id) == 1


async def test_two_at_once_happen_once(database: Database) -> None:
    request_id = str(ids.uuid7())
    assert set(await asyncio.gather(*(create(database, request_id) for _ in range(8)))) == {1}


async def test_answers_are_forgotten_after_a_week(database: Database) -> None:
    request_id = str(ids.uuid7())
    await create(database, request_id)
    await database.execute("UPDATE request_record SET created_at = now() - interval '6 days'")
    assert await housekeeping.purge(database) == 0
    await database.execute("UPDATE request_record SET created_at = now() - interval '8 days'")
    assert await housekeeping.purge(database) == 1
    assert await create(database, request_id) == 2
