"""What the operator decides for media_ingest."""

import re
from dataclasses import dataclass
from pathlib import Path

from yard.runtime.settings import RuntimeSettings, SettingsError, setting

MOST_BATCH_FILES = 500

_SHARE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(RuntimeSettings):
    """Settings of the media_ingest service."""

    upload_max_bytes: int = setting(26_843_545_600, "Largest file of an upload, bytes.")
    upload_quota_bytes: int = setting(
        1_099_511_627_776, "Declared bytes of one user's uploads that no media uses."
    )
    upload_ttl_s: float = setting(
        86_400.0, "Life of an upload after its last byte, if no media uses it, seconds."
    )
    upload_purge_every_s: float = setting(600.0, "Time between two searches for expired uploads, seconds.")
    shares: tuple[str, ...] = setting((), "Read-only directories to list, name=/path,...")
    index_batch_files: int = setting(500, "Images that one call of a child process indexes, 1 to 500.")
    index_concurrency: int = setting(2, "Media that one replica indexes at the same time.")
    index_timeout_s: float = setting(21_600.0, "Time limit of indexing one media, seconds.")


def batch_files_of(settings: Settings) -> int:
    """Images of one batch; SettingsError if the number is out of bounds."""
    if not 1 <= settings.index_batch_files <= MOST_BATCH_FILES:
        fault = f"expected 1 to {MOST_BATCH_FILES}, got {settings.index_batch_files}"
        raise SettingsError([f"FRAMEYARD_INDEX_BATCH_FILES: {fault}"])
    return settings.index_batch_files


def shares_of(settings: Settings) -> dict[str, Path]:
    """Root of each share by its name; SettingsError lists what is not name=/existing/directory."""
    shares: dict[str, Path] = {}
    faults = []
    for entry in settings.shares:
        name, _, path = entry.partition("=")
        if not _SHARE_NAME.fullmatch(name) or name in shares or not Path(path).is_absolute():
            faults.append(f"FRAMEYARD_SHARES: expected name=/path with different names, got {entry!r}")
        elif not Path(path).is_dir():
            faults.append(f"FRAMEYARD_SHARES: {path!r} is no directory")
        else:
            shares[name] = Path(path).resolve()
    if faults:
        raise SettingsError(faults)
    return shares
