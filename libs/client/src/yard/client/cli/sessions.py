"""login, logout, whoami."""

import click
from frameyard.identity.v1 import identity_service_pb2 as identity
from yard.client.cli.context import Call, command
from yard.client.cli.parameters import examples
from yard.client.cli.users import role_of


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    for each in (login, logout, whoami):
        main.add_command(each)


@click.command(
    epilog=examples("frameyard login admin", "FRAMEYARD_PASSWORD=... frameyard --profile ci login robot")
)
@click.argument("username")
@click.option(
    "--password",
    envvar="FRAMEYARD_PASSWORD",
    help="Asked for if it is not given; others on this machine may see arguments, but not the variable.",
)
@command
async def login(call: Call, username: str, password: str | None) -> None:
    """Open a session and keep it for the commands that follow."""
    secret = click.prompt("Password", hide_input=True, err=True) if password is None else password
    user = await call.client.login(username, secret)
    call.out.message(user, f"logged in as {user.username} ({role_of(user)})")


@click.command()
@command
async def logout(call: Call) -> None:
    """End the session."""
    try:
        await call.client.session.logout()
    finally:
        call.context.forget()
    call.out.note("logged out")


@click.command()
@command
async def whoami(call: Call) -> None:
    """Show who is logged in."""
    user = (await call.client.call(call.client.identity.GetSelf, identity.GetSelfRequest())).user
    call.out.message(user, f"{user.username} ({role_of(user)})")
