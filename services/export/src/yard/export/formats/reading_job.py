"""Reading an uploaded file as the job of a child process, for the file may be hostile and the work is long.

The source "file" is the upload, "frames" are the frames of the target as `frame_record` packs them. Batches
leave as soon as they are full, each behind its length. The result has `faults` (place and reason), or the
counts of tags, shapes and tracks and `ignored` (kind, reason and count).
"""

import io
import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final, cast

from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from yard.annotations.batch import Batch, ObjectKind
from yard.annotations.labels import Attribute, AttributeInput, Label, LabelKind, LabelSchema
from yard.export.archives.opened import Opened
from yard.export.archives.opening import Bare, open_upload
from yard.export.archives.refusals import RefusedError, refused
from yard.export.formats import FORMATS, IMPORT_ONLY
from yard.export.formats.division import OneSubset
from yard.export.formats.format import Format
from yard.export.intakes.collected import Collected, Target
from yard.export.intakes.converted_masks import ConvertedMasks
from yard.export.intakes.frame_table import FrameTable
from yard.media.budget import ArchiveLimits
from yard.media.job_host import Arguments, Host

LENGTH: Final = struct.Struct("<I")
_FRAME: Final = struct.Struct("<iiH")
_BUFFER_BYTES: Final = 1 << 18


def read_file(arguments: Arguments, host: Host) -> dict[str, Any]:
    """Arguments: `format`, `name` of the file, archive `limits`, `most` objects, `target` as `described`.

    With `convert_masks` masks come in as polygons. With `part` only one subset of a data set is read: its
    `key`, the `folder` before the names of its frames, and from `begin` to `end` the paths of its pictures in
    the source "pictures", which has those of all subsets (see surveying_job).
    """

    def take(batch: Batch) -> None:
        content = ColumnarBatch(**batch.columns()).SerializeToString()
        host.emit(LENGTH.pack(len(content)) + content)

    try:
        with host.open("file") as raw:
            file = cast("BinaryIO", io.BufferedReader(raw, _BUFFER_BYTES))
            made = ConvertedMasks if arguments["convert_masks"] else Collected
            intake = made(_target(arguments, host), take, host.progress, most=arguments["most"])
            known = format_of(arguments["format"])
            opened = open_upload(file, arguments["name"], ArchiveLimits(**arguments["limits"]))
            _check_kind(opened, known)
            _run(known, _seen(opened, known, arguments), intake)
    except RefusedError as fault:
        return {"faults": [list(one) for one in fault.faults]}
    return {
        "faults": [],
        "ignored": [[kind, reason, count] for (kind, reason), count in sorted(intake.ignored.items())],
        "tags": intake.taken[ObjectKind.TAG],
        "shapes": intake.taken[ObjectKind.SHAPE],
        "tracks": intake.taken[ObjectKind.TRACK],
    }


def _run(known: Format, opened: Opened, intake: Collected) -> None:
    """What no reader has foreseen in a file, and Python cannot make sense of, is a fault of the file too."""
    try:
        known.read(opened, intake)
    except (ValueError, ArithmeticError, RecursionError, EOFError) as fault:
        reason = f"is not understood as {known.full_name}: {type(fault).__name__}: {fault}"
        raise refused(opened.name, reason) from fault
    intake.finish()


def frame_record(name: str, width: int, height: int) -> bytes:
    """A frame of the source "frames"."""
    encoded = name.encode()
    return _FRAME.pack(width, height, len(encoded)) + encoded


def described(
    *, labels: LabelSchema, mode: str, start_frame: int, frame_step: int, first: int
) -> dict[str, object]:
    """The argument `target`, without the frames."""
    return {
        "labels": [described_label(label) for label in labels.labels],
        "mode": mode,
        "start_frame": start_frame,
        "frame_step": frame_step,
        "first": first,
    }


def _check_kind(opened: Opened, known: Format) -> None:
    if isinstance(opened, Bare) and opened.name.rpartition(".")[2].lower() not in known.bare:
        bare = "".join(f" or a bare .{extension}" for extension in known.bare)
        raise refused(opened.name, f"is no zip; {known.full_name} is read from a zip{bare}")


def _seen(opened: Opened, known: Format, arguments: Arguments) -> Opened:
    part = arguments.get("part")
    if part is None or known.division is None:
        return opened
    return OneSubset(opened, known.division, part["key"])


def format_of(name: str) -> Format:
    """The format, which there is."""
    return next(known for known in (*FORMATS, *IMPORT_ONLY) if known.full_name == name)


def _target(arguments: Arguments, host: Host) -> Target:
    given, part = arguments["target"], arguments.get("part")
    division = format_of(arguments["format"]).division
    folder = part["folder"] if part else ""
    frames = FrameTable(given["first"])
    with host.open("frames") as raw:
        for name, width, height in _records(cast("BinaryIO", io.BufferedReader(raw, _BUFFER_BYTES))):
            frames.add(folder + name, width, height)
    return Target(
        labels=LabelSchema(map(label_of, given["labels"])),
        mode=given["mode"],
        start_frame=given["start_frame"],
        frame_step=given["frame_step"],
        frames=frames,
        subset=part["key"] if part else "",
        elsewhere=_elsewhere(part, host) if part and division and division.shares_files else None,
    )


def _elsewhere(part: Mapping[str, Any], host: Host) -> FrameTable:
    """The pictures of the other subsets."""
    others = FrameTable(0)
    with host.open("pictures") as raw:
        place = 0
        for line in io.BufferedReader(raw, _BUFFER_BYTES):
            if not part["begin"] <= place < part["end"]:
                others.add(json.loads(line), 0, 0)
            place += len(line)
    return others


def _records(file: BinaryIO) -> Iterator[tuple[str, int, int]]:
    while head := file.read(_FRAME.size):
        width, height, length = _FRAME.unpack(head)
        yield file.read(length).decode(), width, height


def described_label(label: Label) -> dict[str, object]:
    """A label as plain values; without its colour."""
    attributes = [
        {
            "id": one.id,
            "name": one.name,
            "input": int(one.input),
            "mutable": one.mutable,
            "values": list(one.values),
            "default_value": one.default_value,
        }
        for one in label.attributes
    ]
    return {
        "id": label.id,
        "name": label.name,
        "color": label.color,
        "kind": int(label.kind),
        "attributes": attributes,
    }


def label_of(given: Mapping[str, Any]) -> Label:
    """The label that was described."""
    attributes = (
        Attribute(**{**one, "input": AttributeInput(one["input"]), "values": tuple(one["values"])})
        for one in given["attributes"]
    )
    return Label(
        id=given["id"],
        name=given["name"],
        color=given["color"],
        kind=LabelKind(given["kind"]),
        attributes=tuple(attributes),
    )
