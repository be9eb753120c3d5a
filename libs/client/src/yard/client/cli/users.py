"""Accounts, for administrators; and one's own password."""

from typing import Any

import click
from frameyard.identity.v1 import identity_service_pb2 as identity
from frameyard.identity.v1 import user_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from yard.client.cli.context import Call, command
from yard.client.cli.listing import pages, person_id
from yard.client.cli.parameters import Choice, examples, given, word
from yard.client.client import request_id

ROLE = Choice(user_pb2.Role, "ROLE_")


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(user)
    main.add_command(password)


@click.group()
def user() -> None:
    """Accounts; most of it is for administrators."""


@user.command(epilog=examples("frameyard user create anna --role worker"))
@click.argument("username")
@click.option("--role", type=ROLE, default="user", show_default=True, help="What the user may do.")
@click.option("--first-name", default="", help="Given name.")
@click.option("--last-name", default="", help="Family name.")
@click.option("--email", default="", help="E-mail address.")
@click.option("--password", "secret", envvar="FRAMEYARD_NEW_PASSWORD", help="Asked for if it is not given.")
@command
async def create(
    call: Call, /, username: str, role: user_pb2.Role.ValueType, secret: str | None, **names: Any
) -> None:
    """Make an account."""
    wanted = user_pb2.User(username=username, role=role, **names)
    request = identity.CreateUserRequest(
        user=wanted, password=_new_password() if secret is None else secret, request_id=request_id()
    )
    made = (await call.client.call(call.client.identity.CreateUser, request)).user
    call.out.message(made, f"user {made.id}: {made.username} ({role_of(made)})")


@user.command("list", epilog=examples("frameyard user list --name an"))
@click.option("--name", default="", help="Only names that begin with this.")
@click.option("--active/--inactive", "is_active", default=None, help="Only such accounts.")
@command
async def list_(call: Call, name: str, is_active: bool | None) -> None:
    """List accounts by name, for everybody: whom work can be given to."""
    request = identity.ListUsersRequest(search=name, is_active=is_active)
    found = pages(call.client, call.client.identity.ListUsers, request, lambda page: page.users)
    await call.out.table(("id", "name", "role", "active", "full name"), found, _row)


@user.command(
    epilog=examples(
        "frameyard user update anna --role user",
        "frameyard user update boris --inactive",
    )
)
@click.argument("username")
@click.option("--role", type=ROLE, help="What the user may do.")
@click.option("--first-name", help="Given name.")
@click.option("--last-name", help="Family name.")
@click.option("--email", help="E-mail address.")
@click.option("--active/--inactive", "is_active", default=None, help="Whether the user may log in.")
@command
async def update(call: Call, /, username: str, **changes: Any) -> None:
    """Change an account."""
    fields = given(changes)
    if not fields:
        raise click.UsageError("Nothing to change: give an option.")
    changed = user_pb2.User(id=await person_id(call.client, username), **fields)
    request = identity.UpdateUserRequest(user=changed, update_mask=FieldMask(paths=list(fields)))
    now = (await call.client.call(call.client.identity.UpdateUser, request)).user
    call.out.message(now, f"user {now.id}: {now.username} ({role_of(now)})")


@click.command(epilog=examples("frameyard password", "frameyard password --user anna"))
@click.option("--user", "username", help="Whose, if not one's own; for administrators.")
@command
async def password(call: Call, username: str | None) -> None:
    """Set a password; asks for it. The user's other sessions end."""
    old = "" if username else click.prompt("Present password", hide_input=True, err=True)
    request = identity.ChangePasswordRequest(
        user_id=await person_id(call.client, username), old_password=old, new_password=_new_password()
    )
    await call.client.call(call.client.identity.ChangePassword, request)
    call.out.note("the password is changed")


def role_of(found: user_pb2.User) -> str:
    """The role in one word."""
    return word(user_pb2.Role, "ROLE_", found.role)


def _row(found: user_pb2.User) -> tuple[object, ...]:
    full_name = f"{found.first_name} {found.last_name}".strip()
    return found.id, found.username, role_of(found), "yes" if found.is_active else "no", full_name


def _new_password() -> str:
    return str(click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True))
