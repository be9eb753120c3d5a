import subprocess
import sys
from pathlib import Path

import pytest
from yard.export.formats import FORMATS

# What moves by chance; the larger data set takes 20 MB as columns and several times that as objects.
ALLOWED_GROWTH_BYTES = 8_000_000
# These draw each object, which takes long: half of them are more than is allowed all the same.
OBJECTS = {"PASCAL VOC 1.1": 50_000, "Segmentation mask 1.1": 50_000}


@pytest.mark.parametrize("name", [known.full_name for known in FORMATS])
def test_memory_does_not_grow_with_the_data_set(tmp_path: Path, name: str) -> None:
    command = [sys.executable, "-m", "services.export.tests.memory_probe", name]
    objects = OBJECTS.get(name, 100_000)
    ran = subprocess.run([*command, str(objects), str(tmp_path)], check=True, capture_output=True, text=True)
    growth, small, large = map(int, ran.stdout.split())
    assert large > 8 * small
    assert growth < ALLOWED_GROWTH_BYTES
