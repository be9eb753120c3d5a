"""Long work: list, show, watch, cancel."""

import click
from frameyard.operation.v1 import operation_service_pb2 as service
from frameyard.operation.v1.operation_pb2 import Operation, OperationState
from yard.client.cli.context import Call, command
from yard.client.cli.listing import pages
from yard.client.cli.parameters import examples, word

SERVICES = ("task", "media_ingest", "chunking", "export", "repo_sync")


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(operation)


@click.group()
def operation() -> None:
    """Long work, by names such as task/<uuid>."""


@operation.command("list", epilog=examples("frameyard operation list export"))
@click.argument("service_name", metavar="SERVICE", type=click.Choice(SERVICES))
@click.option("--kind", default="", help="Only this kind, such as export.")
@click.option("--target", default="", help="Only what is done to this, such as tasks/12.")
@command
async def list_(call: Call, service_name: str, kind: str, target: str) -> None:
    """List the operations of a service, newest first."""
    method = call.client.operations(service_name).ListOperations
    request = service.ListOperationsRequest(kind=kind, target=target)
    found = pages(call.client, method, request, lambda page: page.operations)
    await call.out.table(
        ("name", "kind", "target", "state", "progress"),
        found,
        lambda each: (each.name, each.kind, each.target, state_of(each), f"{each.progress:.0%}"),
    )


@operation.command()
@click.argument("name")
@command
async def show(call: Call, name: str) -> None:
    """Show where an operation stands."""
    found = await call.client.operation(name)
    call.out.message(found, line_of(found))


@operation.command(epilog=examples("frameyard operation watch task/0197f2f0-7c3e-7d8b-9a45-2f0c0d9b6c11"))
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


def state_of(found: Operation) -> str:
    """The state in one word."""
    return word(OperationState, "OPERATION_STATE_", found.state)


def line_of(found: Operation) -> str:
    """An operation in one line."""
    why = found.error.message or found.message
    done = f"{found.kind} of {found.target} {state_of(found)}, {found.progress:.0%}"
    return f"{found.name}: {done} {why}".rstrip()
