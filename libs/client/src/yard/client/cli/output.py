"""What commands print: results to standard output, everything else to standard error."""

from collections.abc import AsyncIterable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click
from frameyard.operation.v1.operation_pb2 import Operation
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from yard.client.cli.plain import plain, plain_json
from yard.client.failures import ClientError

M = TypeVar("M", bound=Message)

_GAP = "  "


class Output:
    """Words and tables for people, or JSON for programs. Field names in JSON are those of the protos."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def message(self, message: Message, *lines: str) -> None:
        """One result: `lines` for people, the message as JSON."""
        if self.as_json:
            self.json(as_dict(message))
            return
        for line in lines:
            click.echo(plain(line))

    def json(self, value: object) -> None:
        """JSON in one line."""
        click.echo(plain_json(value))

    async def table(
        self, columns: Sequence[str], pages: AsyncIterable[Sequence[M]], row: Callable[[M], Sequence[object]]
    ) -> None:
        """Results page by page as they come: a table for people, a JSON list."""
        if self.as_json:
            await _json_list(pages)
            return
        widths = [len(column) for column in columns]
        lines = [list(columns)]
        async for page in pages:
            lines += [[plain(str(cell)) for cell in row(message)] for message in page]
            columns_of_page = list(zip(*lines, strict=True)) or [()] * len(widths)
            widths = [
                max([width, *map(cell_len, column)])
                for width, column in zip(widths, columns_of_page, strict=True)
            ]
            _echo_lines(lines, widths)
            lines = []
        _echo_lines(lines, widths)

    def note(self, text: str) -> None:
        """A remark that is no result."""
        click.echo(plain(text), err=True)

    def failure(self, fault: ClientError) -> None:
        """One line a fault; with --json one object with code, message, violations and hint."""
        if not self.as_json:
            for line in fault.faults():
                self.note(f"error: {line}")
            if fault.hint:
                self.note(f"hint: {fault.hint}")
            return
        faults = [{"field": each.field, "description": each.description} for each in fault.violations]
        error = {"code": fault.code, "message": fault.message, "violations": faults, "hint": fault.hint}
        click.echo(plain_json({"error": error}), err=True)

    @contextmanager
    def bytes(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """A bar over bytes on a terminal; call it with how many more have gone."""
        with self._progress(DownloadColumn(), TimeRemainingColumn()) as progress:
            bar = progress.add_task(plain(what), total=total)
            yield lambda more: progress.advance(bar, more)

    @contextmanager
    def operation(self, what: str) -> Iterator[Callable[[Operation], None]]:
        """A bar over an operation on a terminal; call it with each of its states."""
        with self._progress(TextColumn("{task.fields[step]}", markup=False)) as progress:
            bar = progress.add_task(plain(what), total=1.0, step="")
            yield lambda state: progress.update(bar, completed=state.progress, step=plain(state.message))

    def _progress(self, *last: ProgressColumn) -> Progress:
        console = Console(stderr=True, highlight=False)
        columns = (TextColumn("{task.description}", markup=False), BarColumn(30), *last)
        is_wanted = console.is_terminal and not self.as_json
        return Progress(*columns, console=console, disable=not is_wanted, transient=True)


def as_dict(message: Message) -> dict[str, Any]:
    """A message as JSON values, with the protos' field names and with fields that have their default."""
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


async def _json_list(pages: AsyncIterable[Sequence[Message]]) -> None:
    before = "["
    async for page in pages:
        for message in page:
            click.echo(before + plain_json(as_dict(message)), nl=False)
            before = ",\n"
    click.echo("[]" if before == "[" else "]")


def _echo_lines(lines: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
    for line in lines:
        cells = [cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)]
        click.echo(_GAP.join(cells).rstrip())
