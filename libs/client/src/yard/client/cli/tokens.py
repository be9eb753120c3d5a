"""Personal access tokens: secrets that programs use in place of a password."""

from datetime import UTC, datetime
from typing import Any

import click
from frameyard.identity.v1 import identity_service_pb2 as identity
from frameyard.identity.v1 import user_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from yard.client.cli.context import Call, command
from yard.client.cli.listing import moment, one
from yard.client.cli.parameters import ID, examples

_MOMENT = click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])
_expires_option = click.option("--expires", type=_MOMENT, metavar="TIME", help="When it ends, in UTC.")


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(token)


@click.group()
def token() -> None:
    """Personal access tokens, which programs use in place of a password."""


@token.command(
    epilog=examples(
        "frameyard token create backup-script --read-only",
        "frameyard token create training --expires 2030-01-31",
    )
)
@click.argument("name")
@click.option("--read-only", is_flag=True, help="It lets nobody change anything.")
@_expires_option
@command
async def create(call: Call, name: str, read_only: bool, expires: datetime | None) -> None:
    """Make a token and show its secret, which is shown only now."""
    request = identity.CreateAccessTokenRequest(name=name, read_only=read_only, expire_time=_time(expires))
    made = await call.client.call(call.client.identity.CreateAccessToken, request)
    call.out.note(f"token {made.access_token.id}: {made.access_token.name}")
    call.out.message(made, made.secret)


@token.command("list", epilog=examples("frameyard token list"))
@command
async def list_(call: Call) -> None:
    """List one's own tokens, newest first."""
    columns = ("id", "name", "may", "made", "changed", "ends", "last used")
    await call.out.table(columns, one(_tokens(call)), _row)


@token.command(
    epilog=examples(
        "frameyard token update 7 --name nightly --expires 2030-01-31",
        "frameyard token update 7 --endless",
    )
)
@click.argument("token_id", metavar="ID", type=ID)
@click.option("--name", help="What it is called.")
@_expires_option
@click.option("--endless", is_flag=True, help="It never ends.")
@command
async def update(
    call: Call, token_id: int, name: str | None, expires: datetime | None, endless: bool
) -> None:
    """Change the name or the end of a token."""
    if endless and expires is not None:
        raise click.UsageError("Give either --expires or --endless.")
    fields: dict[str, Any] = {} if name is None else {"name": name}
    if endless or expires is not None:
        fields["expire_time"] = _time(expires)
    if not fields:
        raise click.UsageError("Nothing to change: give an option.")
    request = identity.UpdateAccessTokenRequest(
        access_token=user_pb2.AccessToken(id=token_id, **fields), update_mask=FieldMask(paths=list(fields))
    )
    now = (await call.client.call(call.client.identity.UpdateAccessToken, request)).access_token
    call.out.message(now, f"token {now.id}: {now.name}, ends: {moment(now.expire_time) or 'never'}")


@token.command(epilog=examples("frameyard token revoke 7"))
@click.argument("token_id", metavar="ID", type=ID)
@command
async def revoke(call: Call, token_id: int) -> None:
    """End a token."""
    request = identity.RevokeAccessTokenRequest(id=token_id)
    await call.client.call(call.client.identity.RevokeAccessToken, request)
    call.out.note(f"token {token_id} has ended")


async def _tokens(call: Call) -> list[user_pb2.AccessToken]:
    request = identity.ListAccessTokensRequest()
    return list((await call.client.call(call.client.identity.ListAccessTokens, request)).access_tokens)


def _row(found: user_pb2.AccessToken) -> tuple[object, ...]:
    return (
        found.id,
        found.name,
        "read" if found.read_only else "all",
        moment(found.create_time),
        moment(found.update_time),
        moment(found.expire_time) or "never",
        moment(found.last_use_time) or "never",
    )


def _time(given: datetime | None) -> Timestamp | None:
    if given is None:
        return None
    time = Timestamp()
    time.FromDatetime(given.replace(tzinfo=UTC))
    return time
