"""The first part of the work: frames and objects on their way into a data set."""

from yard.export.datasets.dataset import Dataset
from yard.export.datasets.parts import Part
from yard.export.handlers.context import Exporting
from yard.export.handlers.telling import Telling
from yard.export.sources import annotations, frames

FRAMES_SHARE = 0.5


async def fill(exporting: Exporting, dataset: Dataset, telling: Telling, share: float) -> tuple[int, ...]:
    """Reads all into the data set, as the share of the work; returns the revision of each part."""
    count = len(dataset.parts)
    revisions = []
    for number, part in enumerate(dataset.parts):
        revisions.append(await _fill_part(exporting, part, telling, (share * number / count, share / count)))
    return tuple(revisions)


async def _fill_part(
    exporting: Exporting,
    part: Part,
    telling: Telling,
    stretch: tuple[float, float],
) -> int:
    subject = part.subject
    begin, share = stretch
    async for page in frames.pages(exporting.channels, subject):
        part.add_frames(page)
        if page.frames:
            done = (page.frames[-1].frame - subject.first) / subject.size
            await telling.progress(begin + FRAMES_SHARE * share * done, "reading frames")
    revision = 0
    async for response in annotations.batches(exporting.channels, subject):
        revision = response.revision
        if response.HasField("batch"):
            part.add_batch(response.batch)
            await telling.progress(begin + FRAMES_SHARE * share, "reading annotations")
    return revision
