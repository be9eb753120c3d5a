"""Generates libs/contracts and docs/asyncapi.yaml from proto/, and compares with `--check`."""

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
EVENTS = ROOT / "docs" / "asyncapi.yaml"


def google_protos() -> list[Path]:
    """Folders with Google's own protos: well-known types and google.rpc, from their wheels."""
    return [Path(grpc_tools.__file__).with_name("_proto"), Path(status_pb2.__file__).parents[2]]


def generate(into: Path) -> None:
    """Write stubs and types of every proto, and the document of the events, below `into`."""
    sources = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
    includes = [f"-I{PROTO}", *(f"-I{folder}" for folder in google_protos())]
    outputs = [f"--{kind}_out={into}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")]
    described = into / "protos.binpb"
    outputs += [f"--descriptor_set_out={described}", "--include_imports", "--include_source_info"]
    command = [sys.executable, "-m", "grpc_tools.protoc", *includes, *outputs, *sources]
    if (ran := subprocess.run(command, check=False, capture_output=True, text=True)).returncode:
        sys.exit(ran.stderr)
    drop_empty_stubs(into)
    (into / "frameyard" / "py.typed").touch()
    describe = [sys.executable, *map(str, (ROOT / "tools" / "asyncapi.py", described, into / EVENTS.name))]
    subprocess.run(describe, check=True)


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
            if not EVENTS.exists() or EVENTS.read_text() != (Path(folder) / EVENTS.name).read_text():
                stale.append(EVENTS.name)
            sys.exit(f"stale, run `make generate`: {', '.join(stale)}" if stale else 0)
        shutil.rmtree(TARGET, ignore_errors=True)
        shutil.copytree(fresh, TARGET)
        shutil.copy(Path(folder) / EVENTS.name, EVENTS)


if __name__ == "__main__":
    main()
