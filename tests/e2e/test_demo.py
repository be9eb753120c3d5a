"""The demonstration does what it says."""

import zipfile
from pathlib import Path

from yard.embedded import demo
from yard.testkit.platform import Platform


async def test_the_main_job_runs_through(platform: Platform, tmp_path: Path) -> None:
    addresses = {name: getattr(platform.endpoints, name) for name in platform.endpoints.__slots__}
    assert await demo.run(addresses, "admin", platform.admin_password, tmp_path) == 0
    archives = sorted(tmp_path.glob("*.zip"))
    assert len(archives) == 3
    assert all(zipfile.ZipFile(archive).testzip() is None for archive in archives)
