"""Looking through an uploaded data set as the job of a child process, before anything is made of it.

The source "file" is the upload. The paths of the pictures leave subset by subset, a JSON text a line. The
result has `faults` (place and reason), or `labels` as `described_label` has them, `subsets` with `begin` and
`end` of theirs among these bytes, and `left_out`, the number of pictures that no list names.
"""

import io
import json
from dataclasses import asdict
from typing import Any, BinaryIO, Final, cast

from yard.export.archives.opening import Zip, open_upload
from yard.export.archives.refusals import RefusedError, refused
from yard.export.formats.reading_job import described_label, format_of
from yard.export.formats.surveying import Survey
from yard.media.budget import ArchiveLimits
from yard.media.job_host import Arguments, Host

_BUFFER_BYTES: Final = 1 << 18


def survey_file(arguments: Arguments, host: Host) -> dict[str, Any]:
    """Arguments: `format`, `name` of the file, archive `limits`."""
    try:
        with host.open("file") as raw:
            file = cast("BinaryIO", io.BufferedReader(raw, _BUFFER_BYTES))
            opened = open_upload(file, arguments["name"], ArchiveLimits(**arguments["limits"]))
            if not isinstance(opened, Zip):
                raise refused(opened.name, "is no zip: a data set comes with its images in one")
            return _surveyed(opened, arguments["format"], host)
    except RefusedError as fault:
        return {"faults": [list(one) for one in fault.faults]}


def _send_pictures(survey: Survey, host: Host) -> dict[int, tuple[int, int]]:
    """Where the paths of each subset lie."""
    places: dict[int, tuple[int, int]] = {}
    sent, held = 0, bytearray()
    for number, name in survey.pictures():
        begin = places.get(number, (sent + len(held), 0))[0]
        held += json.dumps(name).encode() + b"\n"
        places[number] = begin, sent + len(held)
        if len(held) >= _BUFFER_BYTES:
            host.emit(bytes(held))
            sent, held = sent + len(held), bytearray()
    host.emit(bytes(held))
    return places


def _surveyed(opened: Zip, name: str, host: Host) -> dict[str, Any]:
    """What no survey has foreseen in a file is a fault of the file too."""
    division = format_of(name).division
    if division is None:
        raise refused(opened.name, f"is said to be {name}, whose images cannot be made tasks of")
    survey = Survey(opened, division)
    try:
        survey.run()
    except (ValueError, ArithmeticError, RecursionError, EOFError) as fault:
        raise refused(opened.name, f"is not understood as {name}: {type(fault).__name__}: {fault}") from fault
    places = _send_pictures(survey, host)
    subsets = [
        {**asdict(subset), "begin": places[subset.number][0], "end": places[subset.number][1]}
        for subset in survey.subsets()
    ]
    return {
        "faults": [],
        "labels": [described_label(label) for label in survey.labels.values()],
        "subsets": subsets,
        "left_out": survey.left_out(),
    }
