"""Answers requests, a line of JSON each: `{"reader": "file.function", "path": ..., "options": {...}}`."""

import importlib
import json
import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any


def main() -> None:
    """Until there are no more requests; what readers print is nobody's answer."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        json.dump(_answer(json.loads(line)), answers)
        answers.write("\n")
        answers.flush()


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    file, _, function = request["reader"].partition(".")
    try:
        module = importlib.import_module(f"services.export.tests.oracle_readers.{file}")
        return {"result": getattr(module, function)(Path(request["path"]), **request["options"])}
    except BaseException:  # noqa: BLE001 - whatever went wrong is the answer
        return {"fault": traceback.format_exc()}


main()
