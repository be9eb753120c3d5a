"""MOT: TrackEval as the reference loader and judge, motmetrics as second reader."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import motmetrics
import trackeval


def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a gt.txt, read by motmetrics."""
    table = motmetrics.io.loadtxt(str(path), fmt="mot15-2D", min_confidence=-1)
    return [
        {"frame": int(frame), "id": int(track), **{str(name): float(value) for name, value in row.items()}}
        for (frame, track), row in table.iterrows()
    ]


def scores(path: Path, length: int) -> dict[str, float]:
    """HOTA, MOTA and switches of the ground truth, taken as result, against itself.

    Rows without a track are left out, and all classes are one: TrackEval knows pedestrians only.
    """
    with tempfile.TemporaryDirectory() as folder:
        lines = [line.split(",") for line in path.read_text().splitlines()]
        kept = [[*line[:6], line[6], "1", *line[8:]] for line in lines if int(line[1]) > 0]
        text = "".join(",".join(line) + "\n" for line in kept)
        truth, result = Path(folder, "gt/MOT17-train/seq/gt"), Path(folder, "results/MOT17-train/ours/data")
        truth.mkdir(parents=True)
        result.mkdir(parents=True)
        (truth / "gt.txt").write_text(text)
        (result / "seq.txt").write_text(text)
        dataset = trackeval.datasets.MotChallenge2DBox(
            {
                "GT_FOLDER": f"{folder}/gt",
                "TRACKERS_FOLDER": f"{folder}/results",
                "SEQ_INFO": {"seq": length},
                "PRINT_CONFIG": False,
                "DO_PREPROC": False,
            }
        )
        evaluator = trackeval.Evaluator(
            {
                "PRINT_RESULTS": False,
                "PRINT_CONFIG": False,
                "TIME_PROGRESS": False,
                "OUTPUT_SUMMARY": False,
                "OUTPUT_DETAILED": False,
                "PLOT_CURVES": False,
                "LOG_ON_ERROR": None,
                "BREAK_ON_ERROR": True,
            }
        )
        metrics = [trackeval.metrics.HOTA({}), trackeval.metrics.CLEAR({"PRINT_CONFIG": False})]
        results, _ = evaluator.evaluate([dataset], metrics)
        found = results["MotChallenge2DBox"]["ours"]["seq"]["pedestrian"]
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "HOTA": float(found["HOTA"]["HOTA"].mean()),
        "MOTA": float(found["CLEAR"]["MOTA"]),
        "switches": float(found["CLEAR"]["IDSW"]),
        "boxes": float(found["CLEAR"]["CLR_TP"]),
    }
