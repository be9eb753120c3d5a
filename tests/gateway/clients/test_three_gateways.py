"""Three gateways behind a balancer that gives each request to another one; one sends clients to the store."""

import asyncio
from pathlib import Path

import httpx
import pytest
from yard.testkit.platform import Platform

from tests.gateway.beside import another_gateway
from tests.gateway.clients.round_robin import round_robin
from tests.gateway.clients.running import Account, CommandLine, run

FLOWS = (
    "media.local_images",
    "media.in_given_order",
    "annotations.there_and_back",
    "formats.of_a_job",
    "projects.backups",
    "automatic.data_set",
)


@pytest.mark.timeout(400)
async def test_nothing_changes_with_three_gateways(
    platform: Platform, admin: httpx.AsyncClient, account: Account, tmp_path: Path
) -> None:
    async with (
        another_gateway(platform, admin, redirect_to_store=True) as second,
        another_gateway(platform, admin) as third,
    ):
        gateways = [admin.base_url, second.base_url, third.base_url]
        async with round_robin(gateways) as balancer:
            there = Account(url=balancer.url, username=account.username, password=account.password)
            for flow in FLOWS:
                (folder := tmp_path / flow).mkdir()
                await asyncio.to_thread(run, flow, there, folder)
            command = CommandLine(account=there, folder=tmp_path)
            await asyncio.to_thread(command.good, "task", "ls")
            assert set(balancer.served) == {str(url) for url in gateways}
            assert max(balancer.served.values()) - min(balancer.served.values()) <= 1
