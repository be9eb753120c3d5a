"""The exchange formats, in the order in which people are offered them."""

from yard.export.formats.coco import COCO
from yard.export.formats.cvat import CVAT
from yard.export.formats.cvat_images import CVAT_FOR_IMAGES
from yard.export.formats.cvat_video import CVAT_FOR_VIDEO
from yard.export.formats.datumaro import DATUMARO
from yard.export.formats.format import Format
from yard.export.formats.labelme import LABELME
from yard.export.formats.masks import MASKS
from yard.export.formats.mot import MOT
from yard.export.formats.tfrecord import TFRECORD
from yard.export.formats.voc import VOC
from yard.export.formats.yolo import YOLO

FORMATS: tuple[Format, ...] = (
    CVAT_FOR_VIDEO,
    CVAT_FOR_IMAGES,
    VOC,
    MASKS,
    YOLO,
    COCO,
    TFRECORD,
    MOT,
    LABELME,
    DATUMARO,
)
# Names that take several formats, told apart by their content.
IMPORT_ONLY: tuple[Format, ...] = (CVAT,)
