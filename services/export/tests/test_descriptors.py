import json
import subprocess
import sys
from pathlib import Path

from yard.export.formats import FORMATS

MOST, TASKS = 256, 300


def test_a_project_of_many_tasks_needs_few_open_files(tmp_path: Path) -> None:
    probe = [sys.executable, "-m", "services.export.tests.descriptors_probe", str(MOST), str(TASKS)]
    ran = subprocess.run([*probe, str(tmp_path)], check=True, capture_output=True, text=True)
    found = json.loads(ran.stdout)
    assert (found.pop("boxes"), found.pop("tags")) == (2 * TASKS, TASKS)
    assert found.keys() == {known.full_name for known in FORMATS}
    # Each format has at least a line for each task.
    assert min(found.values()) > 10 * TASKS
