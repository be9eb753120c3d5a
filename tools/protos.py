"""Lints the protos and compares them with the baseline (`lint`), or replaces the baseline (`baseline`).

buf wants every import as a file: Google's own protos come from their wheels, into a workspace of one run.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from google.rpc import status_pb2

ROOT = Path(__file__).resolve().parent.parent
BASELINE = ROOT / "proto" / "baseline.binpb"
RULES = (ROOT / "buf.yaml").read_text()


def workspace(folder: Path) -> None:
    """Fill the folder with our protos, Google's and the rules."""
    shutil.copytree(ROOT / "proto", folder / "proto", ignore=shutil.ignore_patterns("*.binpb"))
    google = folder / "google_protos" / "google" / "rpc"
    google.mkdir(parents=True)
    shutil.copy(Path(status_pb2.__file__).with_name("status.proto"), google)
    rules = RULES.replace(
        "  - path: proto\n",
        "  - path: proto\n  - path: google_protos\n    lint:\n      ignore: [google_protos]\n",
    )
    (folder / "buf.yaml").write_text(rules)


def buf(folder: Path, *arguments: str) -> None:
    """Run buf in the workspace and end with its status if it refuses."""
    status = subprocess.run(["buf", *arguments], cwd=folder, check=False).returncode
    if status:
        sys.exit(status)


def main() -> None:
    """Run the step that the first argument names."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workspace(folder)
        if sys.argv[1] == "baseline":
            buf(folder, "build", "-o", str(BASELINE))
            return
        buf(folder, "lint")
        buf(folder, "format", "proto", "--diff", "--exit-code")
        buf(folder, "breaking", "--against", str(BASELINE), "--exclude-imports")


if __name__ == "__main__":
    main()
