"""What is published in tests, and how."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from yard.repo_sync.git.access import Access
from yard.repo_sync.git.way import Way
from yard.repo_sync.publishing import publish
from yard.repo_sync.publishing.publication import Author, Publication, Published

from services.repo_sync.tests.peers.web import TOKEN, USER

PATH = "annotation/Street.zip"
CONTENT = b"annotations of the street"
ANN = Author(name="Ann", email="ann@example.org", when=datetime(2026, 3, 1, 12, tzinfo=UTC))
TOKEN_ACCESS = Access(username=USER, token=TOKEN)


@dataclass(slots=True, kw_only=True)
class Publisher:
    """Publishes with what a test changes, each time a second later; `steps` is the progress that was told."""

    way: Way
    publication: Publication
    steps: list[tuple[float, str]]

    async def publish(self, content: bytes | None = None, **changes: Any) -> Published:
        if content is not None:
            self.publication.file.write_bytes(content)
        author = self.publication.author
        self.publication = replace(
            self.publication, author=replace(author, when=author.when + timedelta(seconds=1))
        )
        return await self.attempt(**changes)

    async def attempt(self, **changes: Any) -> Published:
        """The last one once more."""
        return await publish(self.way, replace(self.publication, **changes), self._note)

    async def _note(self, share: float, words: str) -> None:
        self.steps.append((share, words))


def publisher(way: Way, url: str, folder: Path, access: Access = TOKEN_ACCESS) -> Publisher:
    file = folder / "export.zip"
    file.write_bytes(CONTENT)
    publication = Publication(
        url=url,
        access=access,
        branch="",
        path=PATH,
        file=file,
        use_lfs=False,
        author=ANN,
        message="Annotations of Street",
    )
    return Publisher(way=way, publication=publication, steps=[])
