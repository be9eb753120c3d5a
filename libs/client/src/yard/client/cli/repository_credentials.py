"""What opens a dataset repository, and the keys by which its host is known."""

import sys
from pathlib import Path
from typing import Any, Final

import click
from frameyard.sync.v1 import repository_pb2
from frameyard.sync.v1 import repository_service_pb2 as service
from yard.client.cli.context import Call, command
from yard.client.cli.parameters import ID, examples
from yard.client.cli.repositories import TASK, repository
from yard.client.cli.repository_lines import lines_of
from yard.client.failures import ClientError

_INPUT: Final = Path("-")
_MOST: Final = 1 << 20
_SECRET_FILE: Final = click.option(
    "--file",
    type=click.Path(path_type=Path),
    default="-",
    metavar="FILE",
    help="Where it is read from, - for the standard input; it is no argument, for others may see those.",
)


def add_to(main: click.Group) -> None:
    """Adds the commands of this module to those of repositories."""
    del main
    repository.add_command(credential)
    repository.add_command(host_keys)


@click.group()
def credential() -> None:
    """A token or a key for a repository: kept encrypted and never shown again."""


@credential.command(
    epilog=examples(
        "frameyard repository credential token 5 --file token.txt",
        "pass show our/data | frameyard repository credential token 5 --username robot",
    )
)
@TASK
@click.option("--username", metavar="NAME", help="Goes with the token; default: what hosts take for tokens.")
@_SECRET_FILE
@command
async def token(call: Call, task_id: int, username: str | None, file: Path) -> None:
    """Set a token, for https."""
    secret = _secret(file, "Token")
    await _set(call, task_id, token=service.Token(username=username or "", token=secret))


@credential.command(epilog=examples("frameyard repository credential key 5 --file deploy_key"))
@TASK
@_SECRET_FILE
@command
async def key(call: Call, task_id: int, file: Path) -> None:
    """Set a private key without a passphrase, for ssh."""
    await _set(call, task_id, private_key=_text(file))


@credential.command(epilog=examples("frameyard repository credential generate 5"))
@TASK
@command
async def generate(call: Call, task_id: int) -> None:
    """Make a key pair, and print the public half: a deploy key that may write, for the git host."""
    now = await _sent(call, task_id, generate_key=True)
    call.out.message(now, now.credential.public_key)


@credential.command(epilog=examples("frameyard repository credential forget 5"))
@TASK
@command
async def forget(call: Call, task_id: int) -> None:
    """Forget what is set."""
    await _set(call, task_id)


@credential.command(epilog=examples("frameyard repository credential copy 6 5"))
@TASK
@click.argument("from_task_id", metavar="FROM", type=ID)
@command
async def copy(call: Call, task_id: int, from_task_id: int) -> None:
    """Take what is set for another task (FROM) of the same repository."""
    await _set(call, task_id, copy_from_task_id=from_task_id)


@click.command(
    "host-keys",
    epilog=examples(
        "frameyard repository host-keys 5 'ssh-ed25519 AAAA...'",
        "ssh-keyscan example.org | frameyard repository host-keys 5 --file -",
        "frameyard repository host-keys 5 --forget",
    ),
)
@TASK
@click.argument("keys", metavar="[KEY]...", nargs=-1)
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Keys as known_hosts has them, - for the input.",
)
@click.option("--forget", is_flag=True, help="Take over what the next connection shows.")
@command
async def host_keys(call: Call, task_id: int, keys: tuple[str, ...], file: Path | None, forget: bool) -> None:
    """Set the keys by which the ssh host is known; KEY is 'type key' or a line of known_hosts."""
    if sum((bool(keys), file is not None, forget)) != 1:
        raise click.UsageError("Give one of KEY, --file and --forget.")
    lines = list(keys) if file is None else _lines(file)
    if not lines and not forget:
        raise click.UsageError("There is no key in it; --forget forgets those that are set.")
    request = service.SetHostKeysRequest(task_id=task_id, host_keys=lines)
    now = (await call.client.call(call.client.repositories.SetHostKeys, request)).repository
    call.out.message(now, *lines_of(now))


async def _set(call: Call, task_id: int, **chosen: Any) -> None:
    now = await _sent(call, task_id, **chosen)
    call.out.message(now, *lines_of(now))


async def _sent(call: Call, task_id: int, **chosen: Any) -> repository_pb2.Repository:
    request = service.SetCredentialRequest(task_id=task_id, **chosen)
    return (await call.client.call(call.client.repositories.SetCredential, request)).repository


def _secret(file: Path, what: str) -> str:
    """One line; asked for, without being shown, if a person sits there."""
    if file == _INPUT and sys.stdin.isatty():
        return str(click.prompt(what, hide_input=True, err=True))
    return _text(file).strip("\r\n")


def _text(file: Path) -> str:
    """What is in the file, or comes in; more than anything of ours can be is not read."""
    if file == _INPUT:
        content = sys.stdin.buffer.read(_MOST)
    else:
        with file.open("rb") as opened:
            content = opened.read(_MOST)
    try:
        return content.decode()
    except UnicodeDecodeError:
        # What is wrong with it is not shown: it may be a secret.
        raise ClientError(f"{file}: is not UTF-8", code="INVALID_ARGUMENT") from None


def _lines(file: Path) -> list[str]:
    lines = (line.strip() for line in _text(file).splitlines())
    return [line for line in lines if line and not line.startswith("#")]
