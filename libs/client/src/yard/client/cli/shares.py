"""Connected file shares."""

import click
from frameyard.media.v1 import share_service_pb2 as service

from yard.client.cli.context import Call, command


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(share)


@click.group()
def share() -> None:
    """Shares that the operator has connected."""


@share.command("list")
@click.argument("name", default="")
@click.argument("directory", default="")
@command
async def list_(call: Call, name: str, directory: str) -> None:
    """List the shares, or a directory of one."""
    if not name:
        shares = (await call.client.call(call.client.shares.ListShares, service.ListSharesRequest())).shares
        call.out.table(("share",), list(shares), lambda entry: (entry.name,))
        return
    found: list[service.ShareEntry] = []
    request = service.ListShareEntriesRequest(share=name, directory=directory, page_size=1000)
    while True:
        page = await call.client.call(call.client.shares.ListShareEntries, request)
        found += page.entries
        request.page_token = page.next_page_token
        if not page.next_page_token:
            break
    call.out.table(("path", "bytes"), found, lambda entry: (entry.path, entry.size_bytes))
