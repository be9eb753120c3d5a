"""The baseline of images in a zip: what a program does that knows zipfile and Pillow."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any, Protocol

from PIL import Image


class Host(Protocol):
    """The parent of the job."""

    def open(self, name: str, /) -> io.RawIOBase:
        """A source as a seekable file."""


def index_zip(_: Mapping[str, Any], host: Host) -> dict[str, Any]:
    """The size of each image."""
    count = 0
    with host.open("file") as file, zipfile.ZipFile(io.BufferedReader(file)) as archive:
        for member in archive.infolist():
            with archive.open(member) as content, Image.open(content) as image:
                count += bool(image.size)
    return {"count": count}
