"""The first part of the work: frames and objects on their way into a data set."""

from frameyard.export.v1 import export_service_pb2 as messages
from yard.export.formats.dataset import Dataset
from yard.export.formats.parts import Part
from yard.export.handlers.context import Exporting
from yard.export.sources import annotations, frames
from yard.runtime.work import Work

FRAMES_SHARE = 0.5


async def fill(
    exporting: Exporting, dataset: Dataset, work: Work[messages.CreateExportRequest], share: float
) -> tuple[int, ...]:
    """Reads all into the data set, as the share of the work; returns the revision of each part."""
    count = len(dataset.parts)
    revisions = []
    for number, part in enumerate(dataset.parts):
        revisions.append(await _fill_part(exporting, part, work, (share * number / count, share / count)))
    return tuple(revisions)


async def _fill_part(
    exporting: Exporting,
    part: Part,
    work: Work[messages.CreateExportRequest],
    stretch: tuple[float, float],
) -> int:
    subject = part.subject
    begin, share = stretch
    async for page in frames.pages(exporting.channels, subject):
        part.add_frames(page)
        if page.frames:
            done = (page.frames[-1].frame - subject.first) / subject.size
            await work.progress(begin + FRAMES_SHARE * share * done, "reading frames")
    revision = 0
    async for response in annotations.batches(exporting.channels, subject):
        revision = response.revision
        if response.HasField("batch"):
            part.add_batch(response.batch)
            await work.progress(begin + FRAMES_SHARE * share, "reading annotations")
    return revision
