"""Connected file shares."""

import click
from frameyard.media.v1 import share_service_pb2 as service
from yard.client.cli.context import Call, command
from yard.client.cli.listing import one, pages
from yard.client.cli.parameters import examples


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(share)


@click.group()
def share() -> None:
    """Shares that the operator has connected."""


@share.command("list", epilog=examples("frameyard share list", "frameyard share list archive 2024/street"))
@click.argument("name", default="")
@click.argument("directory", default="")
@command
async def list_(call: Call, name: str, directory: str) -> None:
    """List the shares, or a directory of one."""
    if not name:
        await call.out.table(("share",), one(_shares(call)), lambda entry: (entry.name,))
        return
    request = service.ListShareEntriesRequest(share=name, directory=directory)
    found = pages(call.client, call.client.shares.ListShareEntries, request, lambda page: page.entries)
    await call.out.table(("path", "bytes"), found, _row)


async def _shares(call: Call) -> list[service.Share]:
    return list((await call.client.call(call.client.shares.ListShares, service.ListSharesRequest())).shares)


def _row(entry: service.ShareEntry) -> tuple[object, ...]:
    is_directory = entry.kind == service.SHARE_ENTRY_KIND_DIRECTORY
    return f"{entry.path}/" if is_directory else entry.path, "" if is_directory else entry.size_bytes
