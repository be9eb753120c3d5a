"""What every benchmark prints and writes: a table, and bench-out/NAME.json."""

import json
import operator
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Final, Literal

OUT: Final = Path("bench-out")
_HEADS: Final = ("metric", "unit", "ours", "baseline", "ratio", "aim", "holds")
_RELATIONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a row should reach, for example `ratio >= 0.5`."""

    of: Literal["ours", "ratio"]
    relation: Literal["<", "<=", ">="]
    value: float

    def __str__(self) -> str:
        return f"{self.of} {self.relation} {self.value:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure beside its baseline of the same run; without an aim it can only be read."""

    metric: str
    unit: str
    ours: float
    baseline: float
    ratio: float
    aim: str | None
    holds: bool | None


def row(
    metric: str, unit: str, ours: Sequence[float], baseline: Sequence[float], aim: Aim | None = None
) -> Row:
    """The medians of interleaved repetitions, and whether the aim holds."""
    figures = {"ours": median(ours), "baseline": median(baseline)}
    figures["ratio"] = figures["ours"] / figures["baseline"]
    holds = None if aim is None else _RELATIONS[aim.relation](figures[aim.of], aim.value)
    return Row(metric=metric, unit=unit, **figures, aim=None if aim is None else str(aim), holds=holds)


def publish(name: str, rows: Sequence[Row], out: Path = OUT) -> None:
    """Prints the table and writes <out>/<name>.json; a row that misses its aim says so and stays."""
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps([asdict(each) for each in rows], indent=2, ensure_ascii=False)
    (out / f"{name}.json").write_text(text + "\n")
    sys.stdout.write(table(rows))


def table(rows: Sequence[Row]) -> str:
    """Columns of even width, one line a row."""
    lines = [_HEADS, *(_cells(each) for each in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADS))]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    return "".join(f"{text.rstrip()}\n" for text in texts)


def _cells(each: Row) -> tuple[str, ...]:
    holds = {None: "-", True: "yes", False: "MISSED"}[each.holds]
    figures = (_figure(each.ours), _figure(each.baseline), f"{each.ratio:.2f}")
    return (each.metric, each.unit, *figures, each.aim or "-", holds)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
