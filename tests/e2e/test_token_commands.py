"""Personal access tokens by the installed command, and what one that only reads lets one do."""

import grpc.aio
import pytest
from frameyard.identity.v1 import identity_service_pb2 as identity
from frameyard.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from frameyard.task.v1 import project_service_pb2 as projects
from frameyard.task.v1.project_service_pb2_grpc import ProjectServiceStub
from yard.runtime import errors, rpc
from yard.testkit.platform import Platform

from tests.e2e.command_line import CommandLine


def test_tokens_are_made_changed_and_ended(command: CommandLine) -> None:
    made = command.good("token", "create", "nightly", "--expires", "2999-01-31")
    assert made.out.startswith("frameyard_")
    reader = command.json("token", "create", "reader", "--read-only")
    assert reader["access_token"]["read_only"]
    listed = {each["name"]: each for each in command.json("token", "list")}
    assert listed["reader"]["read_only"]
    assert not listed["nightly"].get("read_only")
    assert "secret" not in listed["reader"]
    table = command.good("token", "list").out
    may = {name: what for _, name, what, *_ in map(str.split, table.splitlines()[1:])}
    assert (may["reader"], may["nightly"]) == ("read", "all")

    token_id = listed["nightly"]["id"]
    changed = command.good("token", "update", token_id, "--name", "weekly", "--endless")
    assert changed.out == f"token {token_id}: weekly, ends: never\n"
    assert "future" in command.fails("token", "update", token_id, "--expires", "2001-01-01")
    command.good("token", "revoke", token_id)
    assert not {"weekly", "nightly"} & {each["name"] for each in command.json("token", "list")}
    assert "not found" in command.fails("token", "update", token_id, "--name", "x").lower()


async def test_a_reading_token_reads_everywhere_and_changes_nothing(
    command: CommandLine, platform: Platform
) -> None:
    secret = command.json("token", "create", "elsewhere", "--read-only")["secret"]
    endpoints = platform.endpoints
    async with rpc.channel(endpoints.identity) as channel:
        request = identity.ExchangeAccessTokenRequest(token=secret)
        token = (await IdentityServiceStub(channel).ExchangeAccessToken(request)).access_token
    async with rpc.channel(endpoints.task, token=token) as channel:
        stub = ProjectServiceStub(channel)
        await stub.ListProjects(projects.ListProjectsRequest())
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.CreateProject(projects.CreateProjectRequest())
        fault = rpc.errors_from_rpc(caught.value)
        assert (type(fault), fault.reason) == (errors.PermissionDenied, "READ_ONLY_TOKEN")
