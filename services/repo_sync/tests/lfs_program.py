"""Sends a file to an LFS server and prints by how many KiB the process grew meanwhile."""

import asyncio
import hashlib
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from yard.repo_sync.lfs import Door, Reach, send
from yard.runtime.egress import parse_networks


async def resolve(_host: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]


async def note(_: int) -> None:
    pass


async def main(url: str, user: str, token: str, small: Path, large: Path, ca_file: str) -> None:
    reach = Reach(networks=parse_networks(["127.0.0.0/8"]), ca_file=ca_file, resolve=resolve)
    grown = 0
    for file in (small, large):
        with file.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        size = file.stat().st_size
        assert await send(Door.over_https(url, user, token), file, sha256, size, note, reach=reach)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - grown
    print(grown)


if __name__ == "__main__":
    url, user, token, small, large, ca_file = sys.argv[1:]
    asyncio.run(main(url, user, token, Path(small), Path(large), ca_file))
