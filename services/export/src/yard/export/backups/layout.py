"""Names inside a backup; docs/backup-format.md describes them."""

import json
import struct
import unicodedata
from typing import Final

from google.protobuf import json_format
from google.protobuf.message import Message
from yard.media.member_names import BadNameError, label_of

FORMAT: Final = "frameyard-backup"
VERSION: Final = 1
TASK, PROJECT = "task", "project"
HEAD: Final = "frameyard.json"
DEFINITION: Final = "task.json"
JOBS: Final = "jobs.jsonl"
ISSUES: Final = "issues.jsonl"
MANIFEST: Final = "media/manifest.jsonl"
LENGTH: Final = struct.Struct("<I")
"""In front of each batch of objects."""

_LONGEST_PATH: Final = 240


def folder_of(kind: str, number: int) -> str:
    """Where a task lies: a single one in no folder."""
    return "" if kind == TASK else f"tasks/{number}/"


def annotations_of(job: int) -> str:
    """The objects of a job by its number; a job without objects has no file."""
    return f"annotations/{job}.columns"


def media_path(source: int, number: int, name: str) -> str:
    """Where a file of media lies: under its own name if that is one that every zip can hold."""
    if _is_plain(name):
        return f"media/{source}/{name}"
    return f"media/{source}/~{number}"


def text_of(message: Message) -> str:
    """One line of JSON, the same for equal messages."""
    fields = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _is_plain(name: str) -> bool:
    if name.startswith("~") or len(name.encode()) > _LONGEST_PATH or "\\" in name:
        return False
    try:
        return label_of(name) == name == unicodedata.normalize("NFC", name)
    except (BadNameError, UnicodeError):
        return False
