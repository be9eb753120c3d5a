"""What the chart's test pod runs."""

import subprocess
import sys

from yard.testkit.platform import Platform


def smoke(platform: Platform, password: str) -> tuple[int, list[str], str]:
    names = platform.endpoints.__slots__
    addresses = {f"FRAMEYARD_{name.upper()}_ADDRESS": getattr(platform.endpoints, name) for name in names}
    ran = subprocess.run(
        [sys.executable, "-m", "yard.client.smoke"],
        env=addresses | {"FRAMEYARD_ADMIN_PASSWORD": password},
        check=False,
        capture_output=True,
        text=True,
    )
    return ran.returncode, ran.stdout.splitlines(), ran.stderr


def test_every_service_answers(platform: Platform) -> None:
    status, lines, complaint = smoke(platform, platform.admin_password)
    assert (status, complaint) == (0, "")
    assert lines == [f"{name} answers" for name in ("identity", "task", "media_ingest", "chunking", "export")]


def test_a_wrong_password_fails(platform: Platform) -> None:
    status, lines, complaint = smoke(platform, "guessed")
    assert (status, lines) == (1, [])
    assert complaint.startswith("identity: ")
