"""What the sources of a plan are read from: objects of the bucket, and files of connected shares."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from yard.media.index_block import ImageAddress
from yard.media.plan import PlanHead, Source
from yard.runtime import errors
from yard.runtime.blobs import Blobs
from yard.runtime.shares import FILE_GONE, Share, Shares, gone
from yard.runtime.workers import BlobSource, PartSource, RangeSource


class _Kept:
    """An object of the bucket that once was there: where it is not any more, the file's name is told."""

    def __init__(self, whole: RangeSource, name: str) -> None:
        self._whole = whole
        self._name = name

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self._whole.size

    async def read(self, offset: int, length: int) -> bytes:
        """The range."""
        try:
            return await self._whole.read(offset, length)
        except errors.NotFound as fault:
            raise errors.Unavailable(
                f"{self._name} is not in the bucket any more",
                reason=FILE_GONE,
                metadata={"file": self._name},
            ) from fault


class _Shared:
    """A file of a share: where that does not answer, the file's name is told too."""

    def __init__(self, file: RangeSource, path: str) -> None:
        self._file = file
        self._path = path

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self._file.size

    async def read(self, offset: int, length: int) -> bytes:
        """The range."""
        try:
            return await self._file.read(offset, length)
        except errors.Unavailable as fault:
            metadata = {"file": self._path, **fault.metadata}
            raise errors.Unavailable(fault.message, reason=fault.reason, metadata=metadata) from fault


class Files:
    """Opens nothing itself: bytes are read when a job asks for them."""

    def __init__(self, blobs: Blobs, shares: Shares) -> None:
        self._blobs = blobs
        self._shares = shares

    def of(self, source: Source) -> RangeSource:
        """A file that is a source by itself."""
        if source.share:
            file = self._share(source).source(source.key, source.size_bytes, source.stamp)
            return _Shared(file, source.key)
        blob = BlobSource(self._blobs, source.key, source.offset + source.size_bytes)
        whole = _Kept(blob, source.name)
        return PartSource(whole, source.offset, source.size_bytes) if source.offset else whole

    async def of_images(
        self, head: PlanHead, addresses: Sequence[ImageAddress]
    ) -> tuple[Mapping[str, RangeSource], list[ImageAddress]]:
        """Sources by number, and the addresses in them: each file of a tree becomes a source of its own."""
        sources: dict[str, RangeSource] = {}
        placed: list[ImageAddress] = []
        trees: dict[int, list[int]] = {}
        for position, address in enumerate(addresses):
            source = head.sources[address.source]
            if source.is_tree:
                trees.setdefault(address.source, []).append(position)
                address = replace(address, source=len(head.sources) + position)
            elif str(address.source) not in sources:
                sources[str(address.source)] = self.of(source)
            placed.append(address)
        for number, positions in trees.items():
            files = await self._of_tree(head.sources[number], [addresses[position] for position in positions])
            for position, file in zip(positions, files, strict=True):
                sources[str(placed[position].source)] = file
        return sources, placed

    async def _of_tree(self, tree: Source, addresses: Sequence[ImageAddress]) -> list[RangeSource]:
        """Lengths that the plan does not tell are asked of the share."""
        share = self._share(tree)
        paths = [tree.key + address.name for address in addresses]
        unsized = [path for path, address in zip(paths, addresses, strict=True) if not address.size]
        found = dict(zip(unsized, await share.stats(unsized), strict=True))
        files: list[RangeSource] = []
        for path, address in zip(paths, addresses, strict=True):
            entry = found.get(path)
            if not address.size and (entry is None or entry.is_directory):
                raise gone(path, share.name)
            file = share.source(path, address.size or (entry.size_bytes if entry else 0))
            files.append(_Shared(file, path))
        return files

    def _share(self, source: Source) -> Share:
        """A share that is not connected to this process may be so later."""
        try:
            return self._shares.named(source.share)
        except errors.NotFound:
            raise errors.Unavailable(
                f"{source.name}: the share {source.share} is not connected",
                metadata={"file": source.name, "share": source.share},
            ) from None
