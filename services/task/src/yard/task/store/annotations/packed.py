"""Tags and shapes page by page as columns that Postgres packs: no row becomes an object on the way."""

from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from yard.annotations.batch import LARGEST_BATCH, Batch, ObjectKind
from yard.annotations.columnar import LARGEST_CONTENT
from yard.runtime.db import Record
from yard.task.store import Reader
from yard.task.store.annotations.reading import FIRST_PAGE, Selection

# Of the sum that holds small numbers of a row.
_KIND, _OCCLUDED, _HAS_ORIGIN = 8, 16, 17


async def tag_batches(reader: Reader, selection: Selection) -> AsyncIterator[Batch]:
    """The tags by frame, then id."""
    async for page in _pages(reader, _TAGS, selection):
        yield _batch(ObjectKind.TAG, page)


async def shape_batches(reader: Reader, selection: Selection) -> AsyncIterator[Batch]:
    """The shapes by frame, then id; pages are small where outlines are large."""
    async for page in _pages(reader, _SHAPES, selection):
        yield _batch(ObjectKind.SHAPE, page)


async def _pages(reader: Reader, statement: str, selection: Selection) -> AsyncIterator[Record]:
    # Pages come by the index of jobs: of a task as a whole each one would sort all that follow.
    assert selection.job_id is not None
    frame, id_, limit = -1, 0, FIRST_PAGE
    while True:
        page = await reader.fetchrow(statement, *selection.arguments, frame, id_, limit)
        if page is None or not page["count"]:
            return
        yield page
        if page["count"] < limit and page["weight"] < LARGEST_CONTENT:
            return
        frame, id_ = _last(page["frame"], ">i4"), _last(page["id"], ">i8")
        fitting = LARGEST_CONTENT * page["count"] // max(1, page["weight"])
        limit = max(1, min(LARGEST_BATCH, 8 * limit, fitting))


def _batch(kind: ObjectKind, page: Record) -> Batch:
    codes = np.frombuffer(page["codes"], ">i4")
    strings: dict[str, int] = {}
    columns: dict[str, Any] = _attributes(page, strings)
    columns["origin"] = _origins(page["origins"], codes >> _HAS_ORIGIN & 1, strings)
    if kind is ObjectKind.SHAPE:
        columns |= {
            "shape_kind": (codes >> _KIND & 0xFF).astype("u1").tobytes(),
            "flags": (codes >> _OCCLUDED & 1).astype("u1").tobytes(),
            "z_order": _turned(page["z_order"], "i4"),
            "rotation": _turned(page["rotation"], "f8"),
            **_points(page),
        }
    return Batch(
        object_kind=kind,
        count=page["count"],
        id=_turned(page["id"], "i8"),
        frame=_turned(page["frame"], "i4"),
        label_id=_turned(page["label_id"], "i8"),
        group=_turned(page["group_number"], "i4"),
        source=(codes & 0xFF).astype("u1").tobytes(),
        job_id=_turned(page["job_id"], "i8"),
        strings=tuple(strings),
        **columns,
    )


def _last(column: bytes, form: str) -> int:
    return int(np.frombuffer(column, form)[-1])


def _turned(column: bytes, form: str) -> bytes:
    """Little endian from big endian."""
    return np.frombuffer(column, f">{form}").astype(f"<{form}").tobytes()


def _offsets(lengths: NDArray[Any]) -> bytes:
    return np.concatenate([[0], np.cumsum(lengths)]).astype("<i8").tobytes()


def _points(page: Record) -> dict[str, bytes]:
    """The elements of all arrays: 5 words are before those of one that has any, 3 are an empty one."""
    lengths = np.frombuffer(page["lengths"], ">i4").astype(np.int64)
    words = np.frombuffer(page["points"], ">u4")
    begins = np.cumsum(lengths) - lengths
    sizes = np.where(lengths > 0, 5 + 3 * lengths, 3)
    starts = np.cumsum(sizes) - sizes
    places = np.repeat(starts + 5 - 3 * begins, lengths) + 3 * np.arange(int(lengths.sum()))
    numbers = words[places + 1].astype("<u8") << 32 | words[places + 2]
    return {"points_offset": _offsets(lengths), "points": numbers.astype("<u8").tobytes()}


def _attributes(page: Record, strings: dict[str, int]) -> dict[str, bytes]:
    """Rows with the same attributes are unpacked once."""
    if not page["attributes"]:
        return {"attributes_offset": bytes(8 * (page["count"] + 1))}
    packed: bytes = page["attributes"]
    ends = np.cumsum(np.frombuffer(page["attribute_bytes"], ">i4")).tolist()
    known: dict[bytes, tuple[int, bytes, bytes]] = {b"": (0, b"", b"")}
    rows, begin = [], 0
    for end in ends:
        given = packed[begin:end]
        found = known.get(given)
        if found is None:
            found = known[given] = _unpacked(given, strings)
        rows.append(found)
        begin = end
    return {
        "attributes_offset": _offsets(np.array([count for count, _, _ in rows])),
        "attribute_id": b"".join(ids for _, ids, _ in rows),
        "attribute_value": b"".join(texts for _, _, texts in rows),
    }


def _unpacked(given: bytes, strings: dict[str, int]) -> tuple[int, bytes, bytes]:
    """Number, ids and indexes of texts of one row: an array of ids and one of texts."""
    count = int.from_bytes(given[12:16], "big")
    split = 20 + 12 * count
    elements = np.frombuffer(given[20:split], dtype=[("length", ">i4"), ("value", ">i8")])
    texts, place = [], split + 20
    for _ in range(count):
        end = place + 4 + int.from_bytes(given[place : place + 4], "big")
        texts.append(strings.setdefault(given[place + 4 : end].decode(), len(strings)))
        place = end
    return count, elements["value"].astype("<i8").tobytes(), np.array(texts, "<i4").tobytes()


def _origins(packed: bytes | None, has_one: NDArray[Any], strings: dict[str, int]) -> bytes:
    numbers = np.full(len(has_one), -1, "<i4")
    if packed:
        texts = (str(UUID(bytes=packed[place : place + 16])) for place in range(0, len(packed), 16))
        numbers[has_one == 1] = [strings.setdefault(text, len(strings)) for text in texts]
    return numbers.tobytes()


# A page ends with the row that fills a message, whatever number of rows was asked for.
_PACK: Final = """
SELECT count(*) AS count,
    sum(weight)::bigint AS weight,
    string_agg(int8send(id), ''::bytea) AS id,
    string_agg(int4send(frame), ''::bytea) AS frame,
    string_agg(int8send(label_id), ''::bytea) AS label_id,
    string_agg(int4send(group_number), ''::bytea) AS group_number,
    string_agg(int8send(job_id), ''::bytea) AS job_id,
    string_agg(int4send(codes), ''::bytea) AS codes,
    string_agg(attributes, ''::bytea) AS attributes,
    string_agg(int4send(octet_length(attributes)), ''::bytea) AS attribute_bytes,
    string_agg(uuid_send(origin), ''::bytea) AS origins,
    {packed}
FROM (
    SELECT *, sum(weight) OVER (ORDER BY frame, id ROWS UNBOUNDED PRECEDING) AS weights
    FROM (
        SELECT *, octet_length(attributes) + {weight} AS weight
        FROM (
            SELECT id, frame, label_id, group_number, job_id, origin, {columns},
                source::integer + {codes} + ((origin IS NOT NULL)::integer << 17) AS codes,
                CASE
                    WHEN attribute_ids = '{{{{}}}}' THEN ''::bytea
                    ELSE array_send(attribute_ids) || array_send(attribute_values)
                END AS attributes
            FROM {table}
            WHERE task_id = $1
                AND job_id = $2
                AND frame BETWEEN $3 AND $4
                AND ($5::bigint[] IS NULL OR label_id = ANY ($5))
                AND (frame, id) > ($6, $7)
            ORDER BY frame, id
            LIMIT $8
        ) AS page
    ) AS weighed
) AS counted
WHERE weights - weight < {most}
"""

_TAGS: Final = _PACK.format(
    table="tag",
    most=LARGEST_CONTENT,
    columns="frame AS place",
    codes="0",
    weight="0",
    packed="''::bytea AS points",
)

_SHAPES: Final = _PACK.format(
    table="shape",
    most=LARGEST_CONTENT,
    columns="z_order, rotation, points",
    codes="(kind::integer << 8) + (occluded::integer << 16)",
    weight="8 * cardinality(points)",
    packed="""string_agg(int4send(z_order), ''::bytea) AS z_order,
    string_agg(float8send(rotation), ''::bytea) AS rotation,
    string_agg(int4send(cardinality(points)), ''::bytea) AS lengths,
    string_agg(array_send(points), ''::bytea) AS points""",
)
