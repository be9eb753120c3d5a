import hashlib
import subprocess
from pathlib import Path

import pytest
from yard.repo_sync.lfs.pointer import Pointer, pointer, read_pointer

SHA256 = hashlib.sha256(b"frames").hexdigest()


def test_it_is_what_git_lfs_writes(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"frames")
    theirs = subprocess.run(
        ["git", "lfs", "pointer", f"--file={file}"], capture_output=True, check=True, cwd=tmp_path
    )
    assert pointer(SHA256, 6) == theirs.stdout
    assert read_pointer(pointer(SHA256, 6)) == Pointer(sha256=SHA256, size=6)


GOOD = pointer(SHA256, 6)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        GOOD[:-1],
        GOOD + b"\n",
        GOOD + b"x 1\n",
        b"\xef\xbb\xbf" + GOOD,
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"size 6", b"size 06"),
        GOOD.replace(b"size 6", b"size -6"),
        GOOD.replace(b"size 6", b"size " + b"9" * 20),
        GOOD.replace(b"spec/v1", b"spec/v2"),
        GOOD.replace(SHA256.encode(), SHA256.upper().encode()),
        GOOD.replace(b"sha256", b"sha1"),
        GOOD + bytes(1024),
    ],
)
def test_anything_else_is_a_file_of_its_own(content: bytes) -> None:
    assert read_pointer(content) is None


@pytest.mark.parametrize(("sha256", "size"), [("", 1), (SHA256.upper(), 1), (SHA256, -1), (SHA256 + "\n", 1)])
def test_nothing_wrong_is_written(sha256: str, size: int) -> None:
    with pytest.raises(ValueError, match="64"):
        pointer(sha256, size)
