"""What the service has told."""

from __future__ import annotations

from dataclasses import dataclass, field

from frameyard.sync.v1.sync_events_pb2 import RevisionPushed, SyncStatusChanged
from yard.runtime.bus import Envelope


@dataclass(slots=True)
class Heard:
    """In the order in which it came; each once, as it would be handled."""

    pushed: list[RevisionPushed] = field(default_factory=list)
    changed: list[SyncStatusChanged] = field(default_factory=list)
    _ids: set[object] = field(default_factory=set)

    def take(self, envelope: Envelope) -> None:
        if envelope.id in self._ids:
            return
        self._ids.add(envelope.id)
        if envelope.type.endswith("RevisionPushed"):
            self.pushed.append(envelope.decode(RevisionPushed).message)
        else:
            self.changed.append(envelope.decode(SyncStatusChanged).message)

    @property
    def statuses(self) -> list[int]:
        return [event.status for event in self.changed]
