import subprocess
import sys

from yard.export.handlers.fingerprint import sources

# Shared by all services, and of no say in what is written.
FOREIGN = ("yard.runtime",)
LOADED = "import sys, yard.export.formats, yard.export.datasets.dataset; print(*sys.modules)"


def test_all_that_writers_are_made_of_makes_archives_differ() -> None:
    ran = subprocess.run([sys.executable, "-c", LOADED], check=True, capture_output=True, text=True)
    own = {name for name in ran.stdout.split() if name.startswith("yard.") and not name.startswith(FOREIGN)}
    assert {"yard.export.formats.coco", "yard.export.wording.rle", "yard.export.datasets.names"} <= own
    assert own <= set(sources())
