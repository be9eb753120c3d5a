"""Answers requests, a line of JSON each: `{"function": "file.function", "subject": {...}, "options": {...}}`.

Run as a file, with the name of a package, in environments that have nothing of ours. The function of
`<package>.<file>` is called with what `<package>.subject.opened` makes of the subject, and with the options.
"""

import importlib
import json
import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any


def main(package: str) -> None:
    """Until there are no more requests; what others print is nobody's answer."""
    sys.path.insert(0, str(Path.cwd()))
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        json.dump(_answer(package, json.loads(line)), answers)
        answers.write("\n")
        answers.flush()


def _answer(package: str, request: dict[str, Any]) -> dict[str, Any]:
    file, _, name = request["function"].partition(".")
    try:
        opened = importlib.import_module(f"{package}.subject").opened(**request["subject"])
        function = getattr(importlib.import_module(f"{package}.{file}"), name)
        return {"result": function(*opened, **request["options"])}
    except BaseException:  # noqa: BLE001 - whatever went wrong is the answer
        return {"fault": traceback.format_exc()}


if __name__ == "__main__":
    main(sys.argv[1])
