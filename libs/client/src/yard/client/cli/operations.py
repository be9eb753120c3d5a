"""Long work: show, watch, cancel."""

import click
from frameyard.operation.v1.operation_pb2 import Operation, OperationState

from yard.client.cli.context import Call, command


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(operation)


@click.group()
def operation() -> None:
    """Long work, by names such as task/<uuid>."""


@operation.command()
@click.argument("name")
@command
async def show(call: Call, name: str) -> None:
    """Show where an operation stands."""
    found = await call.client.operation(name)
    call.out.message(found, line_of(found))


@operation.command()
@click.argument("name")
@command
async def watch(call: Call, name: str) -> None:
    """Follow an operation to its end; fails if it fails."""
    with call.out.operation(name) as on_change:
        finished = await call.client.wait(name, on_change)
    call.out.message(finished, line_of(finished))


@operation.command()
@click.argument("name")
@command
async def cancel(call: Call, name: str) -> None:
    """Ask for the end of an operation."""
    found = await call.client.cancel(name)
    call.out.message(found, line_of(found))


def line_of(found: Operation) -> str:
    """An operation in one line."""
    state = OperationState.Name(found.state).removeprefix("OPERATION_STATE_").lower()
    return f"{found.name}: {found.kind} of {found.target} {state}, {found.progress:.0%} {found.message}".rstrip()
