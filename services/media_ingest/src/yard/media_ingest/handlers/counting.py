"""What operators count: every metric of this service once, with its meaning."""

from typing import Final

from prometheus_client import Counter

# Bytes that came in by uploads through us, or were fetched from remote addresses.
RECEIVED_BYTES: Final = "frameyard_media_received_bytes_total"
# Media whose indexing has ended: ready, or with the reason why it failed.
MEDIA: Final = "frameyard_media_ended_total"
# Frames of media that became ready, before selection.
FRAMES: Final = "frameyard_media_frames_total"
# Files of media that ended, by what became of them: taken, skipped, refused.
FILES: Final = "frameyard_media_files_total"

received_bytes = Counter(RECEIVED_BYTES, "Bytes that came in.", ("way",))
media = Counter(MEDIA, "Media whose indexing has ended.", ("outcome",))
frames = Counter(FRAMES, "Frames of media that became ready.", ("kind",))
files = Counter(FILES, "Files of media that ended.", ("outcome",))

received_by_upload = received_bytes.labels("upload")
received_by_store = received_bytes.labels("store")
received_from_remote = received_bytes.labels("remote")
