"""What the metrics endpoint of a replica tells."""

import asyncio
from collections.abc import Mapping
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families
from yard.chunking.settings import Settings
from yard.runtime import app

Counts = Mapping[tuple[str, ...], float]
"""By name and values of labels, in the order of the labels' names."""


async def counted(running: app.Running[Settings]) -> Counts:
    """All samples now."""
    text = await asyncio.to_thread(_page, f"http://{running.metrics_address}/metrics")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def gained(before: Counts, after: Counts, name: str) -> dict[tuple[str, ...], float]:
    """By how much each sample of that name has grown, where it has."""
    grown = {labels: value - before.get((name, *labels), 0.0) for labels, value in of_name(after, name)}
    return {labels: value for labels, value in grown.items() if value}


def of_name(counts: Counts, name: str) -> list[tuple[tuple[str, ...], float]]:
    """Values of labels, and samples."""
    return [(key[1:], value) for key, value in counts.items() if key[0] == name]


def _page(url: str) -> str:
    with urlopen(url) as answer:
        return str(answer.read(), "utf-8")
