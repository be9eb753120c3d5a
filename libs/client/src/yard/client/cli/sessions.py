"""login, logout, whoami."""

import click
from frameyard.identity.v1 import identity_service_pb2 as identity
from frameyard.identity.v1 import user_pb2

from yard.client.cli.context import Call, command


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    for each in (login, logout, whoami):
        main.add_command(each)


@click.command()
@click.argument("username")
@click.option("--password", envvar="FRAMEYARD_PASSWORD", help="Asked for if it is not given.")
@command
async def login(call: Call, username: str, password: str | None) -> None:
    """Open a session and keep it for the commands that follow."""
    secret = password or click.prompt("Password", hide_input=True, err=True)
    user = await call.client.login(username, secret)
    call.out.message(user, f"logged in as {user.username} ({role_of(user)})")


@click.command()
@command
async def logout(call: Call) -> None:
    """End the session."""
    await call.client.session.logout()
    call.out.note("logged out")


@click.command()
@command
async def whoami(call: Call) -> None:
    """Show who is logged in."""
    user = (await call.client.call(call.client.identity.GetSelf, identity.GetSelfRequest())).user
    call.out.message(user, f"{user.username} ({role_of(user)})")


def role_of(user: user_pb2.User) -> str:
    """The role in one word."""
    return user_pb2.Role.Name(user.role).removeprefix("ROLE_").lower()
