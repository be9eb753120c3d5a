"""pycocotools: the reference reader of COCO, its masks and its evaluation."""

from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def objects(path: Path) -> list[dict[str, Any]]:
    """Annotations with the names of their images and labels; pixels are those of what has a segmentation."""
    coco = COCO(str(path))
    names = {category["id"]: category["name"] for category in coco.loadCats(coco.getCatIds())}
    found = []
    for annotation in coco.loadAnns(coco.getAnnIds()):
        (image,) = coco.loadImgs(annotation["image_id"])
        more = {}
        if annotation["segmentation"]:
            run_lengths = coco.annToRLE(annotation)
            more = {
                "rows": ["".join(".#"[pixel] for pixel in row) for row in coco.annToMask(annotation)],
                "drawn_area": int(masks.area(run_lengths)),
                "drawn_box": masks.toBbox(run_lengths).tolist(),
            }
        found.append(
            {
                "image": image["file_name"],
                "label": names[annotation["category_id"]],
                "box": annotation["bbox"],
                "area": annotation["area"],
                "iscrowd": annotation["iscrowd"],
                "attributes": annotation["attributes"],
                **more,
            }
        )
    return found


def precision(path: Path, kind: str) -> float:
    """Average precision of the file, taken as result, against itself; kind is bbox or segm."""
    truth = COCO(str(path))
    chosen = [one for one in truth.dataset["annotations"] if kind == "bbox" or one["segmentation"]]
    truth.dataset["annotations"] = chosen
    for one in chosen:
        one["iscrowd"] = 0
        if kind == "segm":
            one["segmentation"] = truth.annToRLE(one)
    truth.createIndex()
    wanted = ("image_id", "category_id", "bbox", "segmentation")
    results = [{key: one[key] for key in wanted if one[key]} | {"score": 1.0} for one in chosen]
    if kind == "bbox":
        results = [{key: value for key, value in one.items() if key != "segmentation"} for one in results]
    evaluation = COCOeval(truth, truth.loadRes(results), kind)
    evaluation.params.maxDets = [1, 10, 1000]
    evaluation.evaluate()
    evaluation.accumulate()
    precisions = evaluation.eval["precision"][:, :, :, 0, -1]
    return float(np.mean(precisions[precisions > -1]))
