"""CVAT 1.1: the name under which CVAT's clients import both of its formats; the content tells which it is."""

from yard.export.formats.cvat_images import CVAT_FOR_IMAGES
from yard.export.formats.cvat_reading import read
from yard.export.formats.cvat_survey import survey_cvat
from yard.export.formats.cvat_video import CVAT_FOR_VIDEO
from yard.export.formats.division import Division
from yard.export.formats.format import Format, unwritten

CVAT = Format(
    name="CVAT",
    version="1.1",
    extension="zip",
    description="XML for images or for video, whichever the file is; for import only.",
    holds=(*CVAT_FOR_IMAGES.holds, *(kind for kind in CVAT_FOR_VIDEO.holds if kind == "track")),
    keeps=CVAT_FOR_IMAGES.keeps,
    for_interpolation=False,
    for_annotation=False,
    write=unwritten,
    read=read,
    division=Division(survey=survey_cvat),
    bare=("xml",),
)
