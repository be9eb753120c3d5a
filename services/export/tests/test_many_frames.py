import json
import subprocess
import sys
from pathlib import Path

import pytest
from yard.export.formats import FORMATS

# What moves by chance, and the names of frames, which an import has to find.
GROWTH_OF_EXPORT_BYTES, GROWTH_OF_IMPORT_BYTES = 8_000_000, 48_000_000
MOST_SECONDS = 60
# Each picture of masks takes half a millisecond to read: fewer of them tell the same.
FRAMES = {"Segmentation mask 1.1": 20_000}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", [known.full_name for known in FORMATS])
def test_many_frames_take_time_but_no_memory(tmp_path: Path, name: str) -> None:
    frames = FRAMES.get(name, 100_000)
    probe = [sys.executable, "-m", "services.export.tests.frames_probe", name, str(frames), str(tmp_path)]
    found = json.loads(subprocess.run(probe, check=True, capture_output=True, text=True).stdout)
    assert found["objects_large"] >= frames
    assert found["written_large"] - found["read_small"] < GROWTH_OF_EXPORT_BYTES
    assert found["read_large"] - found["read_small"] < GROWTH_OF_IMPORT_BYTES
    assert found["write_s"] < MOST_SECONDS
    assert found["read_s"] < MOST_SECONDS
