"""What commands print: results to standard output, everything else to standard error."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from frameyard.operation.v1.operation_pb2 import Operation
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from yard.client.failures import ClientError


class Output:
    """Words and tables for people, or JSON for programs. Field names in JSON are those of the protos."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = Console(highlight=False, soft_wrap=True)
        self._err = Console(stderr=True, highlight=False, soft_wrap=True)

    def message(self, message: Message, text: str) -> None:
        """One result: `text` for people, the message as JSON."""
        if self.as_json:
            self.json(as_dict(message))
        else:
            self._out.print(text, markup=False)

    def table(self, columns: Sequence[str], messages: Sequence[Message], row: Callable[[Any], Sequence[object]]) -> None:
        """A list of results: a table for people, a JSON list."""
        if self.as_json:
            self.json([as_dict(message) for message in messages])
            return
        table = Table(*columns, box=None, pad_edge=False)
        for message in messages:
            table.add_row(*(str(cell) for cell in row(message)))
        self._out.print(table)

    def json(self, value: object) -> None:
        """JSON in one line."""
        self._out.file.write(json.dumps(value, ensure_ascii=False) + "\n")

    def note(self, text: str) -> None:
        """A remark that is no result."""
        self._err.print(text, markup=False)

    def failure(self, fault: ClientError) -> None:
        """One line a fault; with --json one object with code, message, violations and hint."""
        if not self.as_json:
            for line in fault.lines():
                self.note(f"error: {line}" if line != fault.hint else f"hint: {line}")
            return
        faults = [{"field": each.field, "description": each.description} for each in fault.violations]
        error = {"code": fault.code, "message": fault.message, "violations": faults, "hint": fault.hint}
        self._err.file.write(json.dumps({"error": error}, ensure_ascii=False) + "\n")

    @contextmanager
    def bytes(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """A bar over bytes on a terminal; call it with how many more have gone."""
        with self._progress(DownloadColumn(), TimeRemainingColumn()) as progress:
            bar = progress.add_task(what, total=total)
            yield lambda more: progress.advance(bar, more)

    @contextmanager
    def operation(self, what: str) -> Iterator[Callable[[Operation], None]]:
        """A bar over an operation on a terminal; call it with each of its states."""
        with self._progress(TextColumn("{task.fields[step]}")) as progress:
            bar = progress.add_task(what, total=1.0, step="")
            yield lambda state: progress.update(bar, completed=state.progress, step=state.message)

    def _progress(self, *last: TextColumn | DownloadColumn | TimeRemainingColumn) -> Progress:
        columns = (TextColumn("{task.description}"), BarColumn(30), *last)
        is_wanted = self._err.is_terminal and not self.as_json
        return Progress(*columns, console=self._err, disable=not is_wanted, transient=True)


def as_dict(message: Message) -> dict[str, Any]:
    """A message as JSON values, with the protos' field names and with fields that have their default."""
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
