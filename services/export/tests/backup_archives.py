"""Small backups as bytes, good ones and such as somebody might make to harm."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from yard.annotations.columnar import encode
from yard.annotations.model import AnnotationSet, Keyframe, Shape, ShapeKind, Tag, Track

PICTURES = {"a.png": b"first picture", "b/c.png": b"second"}
HEAD = {"format": "frameyard-backup", "version": 1, "kind": "task", "task_count": 1}
LABEL = {
    "name": "car",
    "kind": "LABEL_KIND_ANY",
    "attributes": [{"name": "note", "input": "ATTRIBUTE_INPUT_TEXT"}],
}
TASK: dict[str, Any] = {
    "name": "album",
    "labels": [LABEL],
    "segment_size": "3",
    "overlap": "1",
    "mode": "TASK_MODE_ANNOTATION",
    "size": "5",
    "data": {"sources": [{"upload": {}}], "sorting": "SORTING_METHOD_PREDEFINED"},
    "deleted_frames": [{"first": "1", "last": "2"}],
}
JOBS = [
    {"frames": {"last": "2"}, "stage": "JOB_STAGE_VALIDATION", "state": "JOB_STATE_COMPLETED"},
    {"frames": {"first": "2", "last": "4"}, "stage": "JOB_STAGE_ANNOTATION", "state": "JOB_STATE_NEW"},
]
ISSUES = [{"job": 1, "frame": "3", "position": [1.5, 2], "comments": [{"message": "look"}]}]
ORIGIN = "0197f2f0-7c3e-7d8b-9a45-2f0c0d9b6c11"


def lines(*documents: Mapping[str, Any]) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def columns(annotations: AnnotationSet) -> bytes:
    """A file of objects."""
    found = b""
    for batch in encode(annotations):
        content = ColumnarBatch(**batch.columns()).SerializeToString()
        found += struct.pack("<I", len(content)) + content
    return found


def box(frame: int, **more: Any) -> Shape:
    values = {"label_id": 1, "attributes": {1: "x"}, **more}
    return Shape(frame=frame, kind=ShapeKind.RECTANGLE, points=(1.0, 2.0, 3.0, 4.5), **values)


def key(frame: int, *, outside: bool = False) -> Keyframe:
    return Keyframe(frame=frame, kind=ShapeKind.RECTANGLE, points=(1.0, 2.0, 3.0, 4.5), outside=outside)


OBJECTS = AnnotationSet(
    tags=(Tag(frame=2, label_id=1, origin=ORIGIN),),
    shapes=(box(2), box(4, z_order=-3, group=2)),
    tracks=(Track(label_id=1, keyframes=(key(2), key(4, outside=True))),),
)


def manifest(files: Mapping[str, bytes], source: int = 0) -> bytes:
    return lines(
        *(
            {
                "source": source,
                "name": name,
                "path": f"media/{source}/{name}",
                "size_bytes": str(len(content)),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
            for name, content in files.items()
        )
    )


def members(**changed: bytes | None) -> dict[str, bytes]:
    """Of a good backup of a task; `changed` replaces members by their names with _ for . and /."""
    found: dict[str, bytes] = {
        "frameyard.json": lines(HEAD),
        "task.json": lines(TASK),
        "jobs.jsonl": lines(*JOBS),
        "issues.jsonl": lines(*ISSUES),
        "annotations/1.columns": columns(OBJECTS),
        "media/manifest.jsonl": manifest(PICTURES),
        **{f"media/0/{name}": content for name, content in PICTURES.items()},
    }
    names = {name.replace(".", "_").replace("/", "_"): name for name in found}
    for short, content in changed.items():
        if content is None:
            del found[names[short]]
        else:
            found[names[short]] = content
    return found


def zip_of(files: Mapping[str, bytes], *, method: int = zipfile.ZIP_STORED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, each in files.items():
            archive.writestr(name, each)
    return content.getvalue()
