"""Completion of commands in shells."""

import click
from click.shell_completion import get_completion_class


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(completion)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell: eval "$(frameyard completion bash)"."""
    kind = get_completion_class(shell)
    assert kind is not None, "the choices above are those that click knows"
    root = context.find_root()
    click.echo(kind(root.command, {}, "frameyard", "_FRAMEYARD_COMPLETE").source())
