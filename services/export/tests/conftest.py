"""Makes this folder's data set importable by its path in the repository."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

pytest_plugins = ["yard.testkit.fixtures"]
