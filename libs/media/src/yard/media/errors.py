"""Faults of media, independent of any transport.

MediaError          code, message, name of the file (a label, never a path)
"""

from typing import Literal

Code = Literal["invalid_media", "unsupported", "truncated", "limit"]


class MediaError(Exception):
    """A source cannot be read as asked; `name` is the file's label for people."""

    def __init__(self, code: Code, message: str, name: str = "") -> None:
        super().__init__(f"{name}: {message}" if name else message)
        self.code: Code = code
        self.message = str(self)
        self.name = name
