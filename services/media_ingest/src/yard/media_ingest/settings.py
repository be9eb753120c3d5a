"""What the operator decides for media_ingest."""

from dataclasses import dataclass

from yard.runtime.egress import Network, parse_networks
from yard.runtime.settings import RuntimeSettings, SettingsError, parsed, setting

MOST_BATCH_FILES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(RuntimeSettings):
    """Settings of the media_ingest service."""

    upload_max_bytes: int = setting(26_843_545_600, "Largest file of an upload, bytes.")
    upload_quota_bytes: int = setting(
        1_099_511_627_776, "Declared or received bytes of one user's uploads that no media uses."
    )
    upload_ttl_s: float = setting(
        86_400.0, "Life of an upload after its last byte, if no media uses it, seconds."
    )
    upload_purge_every_s: float = setting(600.0, "Time between two searches for expired uploads, seconds.")
    upload_s3_address: str = setting(
        "", "S3 as clients reach it, http://host:port or https://host; empty: they send parts to us only."
    )
    shares: tuple[str, ...] = setting(
        (), "Read-only file shares, name=/path or name=s3://bucket/prefix/, ..."
    )
    egress_networks: tuple[str, ...] = setting(
        (), "Networks in CIDR notation that remote sources may lie in besides public addresses."
    )
    egress_ca_file: str = setting(
        "", "PEM file of certificate authorities that are trusted for remote sources besides the usual ones."
    )
    remote_concurrency: int = setting(8, "Remote files that are fetched at the same time for one media.")
    remote_max_bytes: int = setting(26_843_545_600, "Largest remote file, bytes.")
    remote_total_max_bytes: int = setting(274_877_906_944, "Bytes of all remote files of one media.")
    remote_timeout_s: float = setting(14_400.0, "Time limit of fetching one remote file, seconds.")
    remote_min_bytes_s: float = setting(
        1024.0, "Bytes a second that a server must send on average, over 20 seconds."
    )
    remote_tries: int = setting(5, "Tries in a row that may bring nothing new of a remote file.")
    remote_retry_delay_s: float = setting(
        0.5, "Wait before the second try, seconds; doubled before each further one, up to 30."
    )
    index_batch_files: int = setting(500, "Images that one call of a child process indexes, 1 to 500.")
    index_concurrency: int = setting(2, "Media that one replica indexes at the same time.")
    index_timeout_s: float = setting(21_600.0, "Time limit of indexing one media, seconds.")
    media_max_files: int = setting(1_000_000, "Files of one media, and members of an archive.")
    media_max_image_bytes: int = setting(536_870_912, "Largest image inside an archive, unpacked, bytes.")
    media_max_bytes: int = setting(1_099_511_627_776, "Bytes of all files of one media, unpacked.")
    media_max_expansion: int = setting(200, "Bytes that may come out of each packed byte of an archive.")
    media_max_pixels: int = setting(160_000_000, "Pixels of one image or page.")
    media_max_pages: int = setting(10_000, "Pages of one PDF, TIFF or GIF, at most 10,000.")
    media_max_frames: int = setting(10_000_000, "Frames of one media before selection.")


def batch_files_of(settings: Settings) -> int:
    """Images of one batch; SettingsError if the number is out of bounds."""
    if not 1 <= settings.index_batch_files <= MOST_BATCH_FILES:
        fault = f"expected 1 to {MOST_BATCH_FILES}, got {settings.index_batch_files}"
        raise SettingsError([f"FRAMEYARD_INDEX_BATCH_FILES: {fault}"])
    return settings.index_batch_files


def networks_of(settings: Settings) -> tuple[Network, ...]:
    """The networks that are open to remote sources; SettingsError names the first that is none."""
    return parsed(settings, "egress_networks", parse_networks)
