"""Generates libs/contracts from proto/ with grpcio-tools and mypy-protobuf, and compares with `--check`."""

import filecmp
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import grpc_tools
from google.rpc import status_pb2

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
TARGET = ROOT / "libs" / "contracts" / "src" / "frameyard"


def google_protos() -> list[Path]:
    """Folders with Google's own protos: well-known types and google.rpc, from their wheels."""
    return [Path(grpc_tools.__file__).with_name("_proto"), Path(status_pb2.__file__).parents[2]]


def generate(into: Path) -> None:
    """Write stubs and types of every proto below `into`."""
    sources = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
    includes = [f"-I{PROTO}", *(f"-I{folder}" for folder in google_protos())]
    outputs = [f"--{kind}_out={into}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")]
    command = [sys.executable, "-m", "grpc_tools.protoc", *includes, *outputs, *sources]
    if (ran := subprocess.run(command, check=False, capture_output=True, text=True)).returncode:
        sys.exit(ran.stderr)
    drop_empty_stubs(into)
    (into / "frameyard" / "py.typed").touch()


def drop_empty_stubs(folder: Path) -> None:
    """Remove the gRPC modules of protos that declare no service."""
    for stub in folder.rglob("*_pb2_grpc.py"):
        if "class " not in stub.read_text():
            stub.unlink()
            stub.with_suffix(".pyi").unlink(missing_ok=True)


def differences(comparison: filecmp.dircmp[str]) -> list[str]:
    """Names that differ between both folders, at any depth."""
    names = [*comparison.left_only, *comparison.right_only, *comparison.diff_files]
    found = [name for name in names if name != "__pycache__"]
    return found + [name for sub in comparison.subdirs.values() for name in differences(sub)]


def main() -> None:
    """Generate, or with `--check` say which committed files are stale and fail."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        fresh = Path(folder) / "frameyard"
        if "--check" in sys.argv:
            stale = differences(filecmp.dircmp(fresh, TARGET, ignore=["__pycache__"]))
            sys.exit(f"libs/contracts is stale, run `make generate`: {', '.join(stale)}" if stale else 0)
        shutil.rmtree(TARGET, ignore_errors=True)
        shutil.copytree(fresh, TARGET)


if __name__ == "__main__":
    main()
