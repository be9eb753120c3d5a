"""Objects of one job or of all jobs of a task: whole, by id, or page by page in order."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from yard.annotations.model import AnnotationSet, Shape, Tag, Track
from yard.runtime.db import Record, Transaction
from yard.task.store import Reader
from yard.task.store.annotations import rows

Item = TypeVar("Item", Tag, Shape, Track)

LARGEST_PAGE: Final = 8192
FIRST_PAGE: Final = 256
# Numbers of points that one page or one run of tracks is to hold, about 16 MiB as objects.
PAGE_NUMBERS: Final = 250_000
LAST_FRAME: Final = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Whose objects, and which: of the job, or of all jobs if there is none; on frames first to last."""

    task_id: int
    job_id: int | None = None
    first: int = 0
    last: int = LAST_FRAME
    label_ids: tuple[int, ...] = ()

    @property
    def arguments(self) -> tuple[object, ...]:
        """Values of $1 to $5."""
        return (self.task_id, self.job_id, self.first, self.last, list(self.label_ids) or None)


async def hold_snapshot(tx: Transaction) -> None:
    """Makes all statements of a transaction see the same state; to be called before any other."""
    await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


async def annotations_of(reader: Reader, selection: Selection) -> AnnotationSet:
    """All selected objects by frame, then id; tracks that end before the frames may be among them."""
    return AnnotationSet(
        tags=await tags_of(reader, selection),
        shapes=await shapes_of(reader, selection),
        tracks=await tracks_of(reader, selection),
    )


async def tags_of(reader: Reader, selection: Selection) -> tuple[Tag, ...]:
    """All selected tags by frame, then id."""
    found = await reader.fetch(_select(_TAGS, selection), *selection.arguments, *_BEGIN, None)
    return tuple(map(rows.tag_from, found))


async def shapes_of(reader: Reader, selection: Selection) -> tuple[Shape, ...]:
    """All selected shapes by frame, then id."""
    found = await reader.fetch(_select(_SHAPES, selection), *selection.arguments, *_BEGIN, None)
    return tuple(map(rows.shape_from, found))


async def tracks_of(reader: Reader, selection: Selection) -> tuple[Track, ...]:
    """All selected tracks by first frame, then id; those that end before the frames may be among them."""
    found = await reader.fetch(_select(_TRACKS, selection), *selection.arguments, *_BEGIN, None)
    return await _with_keyframes(reader, selection.task_id, found)


async def is_empty(reader: Reader, task_id: int, job_id: int) -> bool:
    """Whether a job holds no object."""
    empty: bool = await reader.fetchval(_IS_EMPTY, task_id, job_id)
    return empty


async def jobs_holding(reader: Reader, table: Literal["tag", "shape"], task_id: int) -> set[int]:
    """Ids of the jobs of a task that hold any."""
    return {row["id"] for row in await reader.fetch(_HOLDING[table], task_id)}


async def has_at_most(reader: Reader, task_id: int, count: int) -> bool:
    """Whether all jobs of a task together hold no more tags and shapes than that."""
    found: int = await reader.fetchval(_STILLS_UP_TO, task_id, count + 1)
    return found <= count


async def track_pages(reader: Reader, selection: Selection) -> AsyncIterator[list[Track]]:
    """The tracks by first frame, then id, so many at a time as their keyframes allow."""
    after = _BEGIN
    while page := await _page(reader, _TRACKS, selection, after, LARGEST_PAGE):
        for run in _runs(page):
            yield list(await _with_keyframes(reader, selection.task_id, run))
        after = (page[-1]["first_frame"], page[-1]["id"])


async def objects_of(
    reader: Reader, task_id: int, tag_ids: Sequence[int], shape_ids: Sequence[int], track_ids: Sequence[int]
) -> AnnotationSet:
    """The objects of a task with these ids."""
    tags = await reader.fetch(_OF_IDS["tag"], task_id, tag_ids) if tag_ids else ()
    shapes = await reader.fetch(_OF_IDS["shape"], task_id, shape_ids) if shape_ids else ()
    tracks = await reader.fetch(_OF_IDS["track"], task_id, track_ids) if track_ids else ()
    return await _objects(reader, task_id, tags, shapes, tracks)


async def surroundings_of(
    reader: Reader, task_id: int, job_ids: Sequence[int], objects: AnnotationSet
) -> AnnotationSet:
    """All that may be one with these on overlap: what is on the same frames, tracks of the same labels."""
    place = task_id, job_ids
    tag_frames = sorted({tag.frame for tag in objects.tags})
    shape_frames = sorted({shape.frame for shape in objects.shapes})
    label_ids = sorted({track.label_id for track in objects.tracks})
    tags = await reader.fetch(_AROUND["tag"], *place, tag_frames) if tag_frames else ()
    shapes = await reader.fetch(_AROUND["shape"], *place, shape_frames) if shape_frames else ()
    tracks = await reader.fetch(_AROUND["track"], *place, label_ids) if label_ids else ()
    return await _objects(reader, task_id, tags, shapes, tracks)


async def _objects(
    reader: Reader,
    task_id: int,
    tags: Sequence[Record],
    shapes: Sequence[Record],
    tracks: Sequence[Record],
) -> AnnotationSet:
    return AnnotationSet(
        tags=tuple(map(rows.tag_from, tags)),
        shapes=tuple(map(rows.shape_from, shapes)),
        tracks=await _with_keyframes(reader, task_id, tracks),
    )


async def _page(
    reader: Reader, table: str, selection: Selection, after: tuple[int, int], limit: int
) -> list[Record]:
    return await reader.fetch(_select(table, selection), *selection.arguments, *after, limit)


def _runs(page: Sequence[Record]) -> list[list[Record]]:
    """Rows of tracks cut where a run has enough numbers."""
    runs: list[list[Record]] = [[]]
    numbers = 0
    for row in page:
        if runs[-1] and numbers + row["weight"] > PAGE_NUMBERS:
            runs.append([])
            numbers = 0
        runs[-1].append(row)
        numbers += row["weight"]
    return runs


async def _with_keyframes(reader: Reader, task_id: int, tracks: Sequence[Record]) -> tuple[Track, ...]:
    if not tracks:
        return ()
    found = await reader.fetch(_KEYFRAMES, task_id, [row["id"] for row in tracks])
    keyframes = rows.keyframes_from(found)
    return tuple(rows.track_from(row, keyframes) for row in tracks)


def _select(table: str, selection: Selection) -> str:
    return table.format(job="$2::bigint IS NULL" if selection.job_id is None else "job_id = $2")


# $6 and $7 are the place after which the page begins.
_BEGIN: Final = (-1, 0)

_STILLS = """
SELECT {columns}
FROM {table}
WHERE task_id = $1
    AND {{job}}
    AND frame BETWEEN $3 AND $4
    AND ($5::bigint[] IS NULL OR label_id = ANY ($5))
    AND (frame, id) > ($6, $7)
ORDER BY frame, id
LIMIT $8
"""
_TAGS = _STILLS.format(columns=", ".join(rows.TAG_COLUMNS), table="tag")
_SHAPES = _STILLS.format(columns=", ".join(rows.SHAPE_COLUMNS), table="shape")

_TRACKS = f"""
SELECT {", ".join(rows.TRACK_COLUMNS)}
FROM track
WHERE task_id = $1
    AND {{job}}
    AND first_frame <= $4
    AND (last_frame >= $3 OR is_open)
    AND ($5::bigint[] IS NULL OR label_id = ANY ($5))
    AND (first_frame, id) > ($6, $7)
ORDER BY first_frame, id
LIMIT $8
"""  # noqa: S608 - literals only

_KEYFRAMES = f"""
SELECT {", ".join(rows.KEYFRAME_COLUMNS)}
FROM keyframe
WHERE task_id = $1 AND track_id = ANY ($2)
ORDER BY track_id, frame
"""  # noqa: S608 - literals only

_IS_EMPTY = """
SELECT NOT (
    EXISTS (SELECT FROM tag WHERE task_id = $1 AND job_id = $2)
    OR EXISTS (SELECT FROM shape WHERE task_id = $1 AND job_id = $2)
    OR EXISTS (SELECT FROM track WHERE task_id = $1 AND job_id = $2)
)
"""

_HOLDING = {
    table: f"""
SELECT id
FROM job
WHERE task_id = $1
    AND EXISTS (SELECT FROM {table} WHERE {table}.task_id = $1 AND {table}.job_id = job.id)
"""  # noqa: S608 - literals only
    for table in ("tag", "shape")
}

_STILLS_UP_TO = """
SELECT count(*)
FROM (
    (SELECT FROM tag WHERE task_id = $1 LIMIT $2)
    UNION ALL
    (SELECT FROM shape WHERE task_id = $1 LIMIT $2)
) AS still
"""

_COLUMNS = {"tag": rows.TAG_COLUMNS, "shape": rows.SHAPE_COLUMNS, "track": rows.TRACK_COLUMNS}

_OF_IDS = {
    table: f"""
SELECT {", ".join(columns)}
FROM {table}
WHERE task_id = $1 AND id = ANY ($2)
"""  # noqa: S608 - literals only
    for table, columns in _COLUMNS.items()
}

_AROUND = {
    table: f"""
SELECT {", ".join(columns)}
FROM {table}
WHERE task_id = $1
    AND job_id = ANY ($2)
    AND {"label_id" if table == "track" else "frame"} = ANY ($3)
"""  # noqa: S608 - literals only
    for table, columns in _COLUMNS.items()
}
