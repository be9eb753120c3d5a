"""Options that several commands share."""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import click
from frameyard.common.v1.common_pb2 import FrameRange


class Integer(click.ParamType[int]):
    """A whole number that its field can hold; what it may be besides is for the platform to say."""

    name = "n"

    def __init__(self, smallest: int, largest: int) -> None:
        self._bounds = (smallest, largest)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; a usage error if it is none, or out of bounds."""
        smallest, largest = self._bounds
        try:
            number = int(value)
        except ValueError:
            self.fail(f"{value!r} is not a whole number", param, ctx)
        if not smallest <= number <= largest:
            self.fail(f"{value} is not {smallest} to {largest}", param, ctx)
        return number


class Frames(click.ParamType[FrameRange]):
    """Consecutive frames, such as 12 or 10-19."""

    name = "frames"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> FrameRange:
        """The range; a usage error if it is none."""
        if isinstance(value, FrameRange):
            return value
        match = _FRAMES.fullmatch(value)
        if match is None:
            self.fail(f"{value!r} is not a frame or FIRST-LAST", param, ctx)
        first = NUMBER.convert(match[1], param, ctx)
        last = first if match[2] is None else NUMBER.convert(match[2], param, ctx)
        if last < first:
            self.fail(f"{value!r} ends before it begins", param, ctx)
        return FrameRange(first=first, last=last)


INT32 = Integer(-(2**31), 2**31 - 1)
INT64 = Integer(-(2**63), 2**63 - 1)
NUMBER = Integer(0, 2**63 - 1)
ID = Integer(1, 2**63 - 1)
FRAMES = Frames()
_FRAMES = re.compile(r"([0-9]+)(?:-([0-9]+))?")


class ProtoEnum(Protocol):
    """An enum as generated from a proto."""

    def items(self) -> list[tuple[str, Any]]:
        """Names and numbers."""
        ...

    def Name(self, number: Any) -> str:  # noqa: N802 - so it is generated
        """ValueError if this release does not know the number."""
        ...


class Choice(click.Choice[str]):
    """The words of a proto's enum, such as `annotation` for JOB_STAGE_ANNOTATION; gives the number."""

    def __init__(self, enum: ProtoEnum, prefix: str) -> None:
        self._numbers = {
            name.removeprefix(prefix).lower().replace("_", "-"): number
            for name, number in enum.items()
            if number
        }
        super().__init__(list(self._numbers))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number of a word."""
        return value if isinstance(value, int) else self._numbers[super().convert(value, param, ctx)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A task or a job: one of both is 0."""

    task_id: int
    job_id: int

    @property
    def name(self) -> str:
        """Such as job-3, for names of files."""
        return f"job-{self.job_id}" if self.job_id else f"task-{self.task_id}"

    @property
    def fields(self) -> dict[str, int]:
        """The one that is set, for requests with a oneof."""
        return {"job_id": self.job_id} if self.job_id else {"task_id": self.task_id}


def target(run: Callable[..., None]) -> Callable[..., None]:
    """Adds `--task` and `--job`, of which one must be given, and hands a Target on."""

    @click.option("--task", "task_id", type=ID, metavar="ID", help="The whole task.")
    @click.option("--job", "job_id", type=ID, metavar="ID", help="One job of it.")
    @functools.wraps(run)
    def entry(*arguments: Any, task_id: int | None, job_id: int | None, **options: Any) -> None:
        if (task_id is None) == (job_id is None):
            raise click.UsageError("Give either --task ID or --job ID.")
        run(*arguments, target=Target(task_id=task_id or 0, job_id=job_id or 0), **options)

    return entry


def stacked(options: Sequence[Callable[[Any], Any]]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """One decorator for several options, in the order in which help shows them."""

    def add(run: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            run = option(run)
        return run

    return add


def examples(*lines: str) -> str:
    """The end of a help text; such lines are not wrapped."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def word(enum: ProtoEnum, prefix: str, number: int) -> str:
    """A value in words, such as `in progress`; the number if a newer server knows more than we."""
    try:
        return enum.Name(number).removeprefix(prefix).lower().replace("_", " ")
    except ValueError:
        return str(number)


direct_option = click.option(
    "--direct",
    is_flag=True,
    help="Send files of more than 8 MiB to the store itself, if it is in reach.",
)
"""The parameter `direct` of uploads."""


format_option = click.option(
    "--format", "format_name", required=True, metavar="FORMAT", help="See frameyard export formats."
)
"""The parameter `format_name` of exports and imports."""

file_options = stacked(
    (
        click.option(
            "-o",
            "--output",
            type=click.Path(path_type=Path),
            help="File or folder; default: this folder, with the name that the platform offers.",
        ),
        click.option("--force", is_flag=True, help="Replace a file that is there."),
    )
)
"""The parameters `output` and `force` of what writes a file of the platform."""


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Without the options that were left out."""
    return {name: value for name, value in options.items() if value is not None}
