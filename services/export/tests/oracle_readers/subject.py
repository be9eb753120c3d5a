"""What every reader is given: a file or a folder."""

from pathlib import Path


def opened(path: str) -> tuple[Path]:
    """The path."""
    return (Path(path),)
