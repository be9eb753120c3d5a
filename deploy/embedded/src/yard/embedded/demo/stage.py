"""How the demonstration speaks: lines of plain words and progress bars."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from frameyard.operation.v1.operation_pb2 import Operation
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

_BAR = (TextColumn("    {task.description:<34}"), BarColumn(30))


class Stage:
    """One console for all of it."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)

    def chapter(self, title: str) -> None:
        """A new step of the main job."""
        self._console.print(f"\n[bold]{title}[/bold]")

    def say(self, text: str) -> None:
        """One line."""
        self._console.print(f"    {text}", soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Rows below their headings."""
        table = Table(*columns, box=None, padding=(0, 2), pad_edge=False)
        for row in rows:
            table.add_row(*map(str, row))
        self._console.print(table)

    @contextmanager
    def counting(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """A bar over a number of things; call it with how many more are done."""
        with self._progress(MofNCompleteColumn()) as progress:
            bar = progress.add_task(what, total=total)
            yield lambda more: progress.advance(bar, more)

    @contextmanager
    def bytes(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """A bar over bytes; call it with how many more have gone."""
        with self._progress(DownloadColumn()) as progress:
            bar = progress.add_task(what, total=total)
            yield lambda more: progress.advance(bar, more)

    @contextmanager
    def operation(self, what: str) -> Iterator[Callable[[Operation], None]]:
        """A bar over an operation; call it with each of its states."""
        with self._progress(TextColumn("{task.fields[step]}")) as progress:
            bar = progress.add_task(what, total=1.0, step="")
            yield lambda state: progress.update(bar, completed=state.progress, step=state.message)
            progress.update(bar, completed=1.0, step="done")

    def _progress(self, last: TextColumn | DownloadColumn | MofNCompleteColumn) -> Progress:
        return Progress(*_BAR, last, TimeElapsedColumn(), console=self._console)
