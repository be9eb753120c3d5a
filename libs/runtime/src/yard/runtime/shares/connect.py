"""From the setting `shares` to shares: one place for all services."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from yard.runtime import errors
from yard.runtime.blobs.store import s3_client
from yard.runtime.settings import RuntimeSettings, SettingsError
from yard.runtime.shares.folder import Folder
from yard.runtime.shares.prefix import Prefix
from yard.runtime.shares.share import Share, Tree
from yard.runtime.shares.values import is_plain

SCHEME = "s3://"
OWN_PREFIXES = ("uploads", "media", "chunks", "previews", "exports")
"""First parts of the keys under which services keep their objects: no share shows them."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class _FaultError(Exception):
    """What is wrong with one entry of the setting."""


class _Bucket(NamedTuple):
    bucket: str
    prefix: str


class Shares:
    """The connected shares by name."""

    def __init__(self, shares: Sequence[Share] = ()) -> None:
        self._shares = {share.name: share for share in shares}

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, in order."""
        return tuple(sorted(self._shares))

    def named(self, name: str) -> Share:
        """NotFound for a share that is not connected."""
        try:
            return self._shares[name]
        except KeyError:
            raise errors.NotFound("share", name[:64]) from None

    async def close(self) -> None:
        """Gives their threads back."""
        for share in self._shares.values():
            share.close()


def connect(settings: RuntimeSettings, entries: Sequence[str]) -> Shares:
    """Shares from `name=/path` and `name=s3://bucket/prefix/`; SettingsError lists what is neither.

    Buckets are those of the service's own S3 endpoint, with its keys.
    """
    shares: list[Share] = []
    faults: list[str] = []
    known: set[str] = set()
    for entry in entries:
        name, _, place = entry.partition("=")
        try:
            _check_name(entry, name, known)
            shares.append(Share(name, _tree(settings, place)))
        except _FaultError as fault:
            faults.append(f"FRAMEYARD_SHARES: {fault}")
        known.add(name)
    if faults:
        raise SettingsError(faults)
    return Shares(shares)


def _check_name(entry: str, name: str, known: set[str]) -> None:
    if not _NAME.fullmatch(name) or name in known:
        raise _FaultError(
            f"expected name=/path or name=s3://bucket/prefix with different names, got {entry!r}"
        )


def _tree(settings: RuntimeSettings, place: str) -> Tree:
    if place.startswith(SCHEME):
        found = _bucket(settings, place)
        client, _ = s3_client(settings)
        return Prefix(client, found.bucket, found.prefix)
    if not Path(place).is_absolute():
        raise _FaultError(f"{place!r} is neither an absolute path nor s3://bucket/prefix")
    if not Path(place).is_dir():
        raise _FaultError(f"{place!r} is no directory")
    return Folder(place)


def _bucket(settings: RuntimeSettings, place: str) -> _Bucket:
    bucket, _, prefix = place.removeprefix(SCHEME).partition("/")
    bare = prefix.rstrip("/")
    if not _BUCKET.fullmatch(bucket) or (bare and not is_plain(bare)):
        raise _FaultError(f"expected s3://bucket/prefix, got {place!r}")
    first = bare.partition("/")[0]
    if bucket == settings.s3_bucket and first in ("", *OWN_PREFIXES):
        raise _FaultError(f"{place!r} would show what services keep in their bucket: give another prefix")
    return _Bucket(bucket, f"{bare}/" if bare else "")
