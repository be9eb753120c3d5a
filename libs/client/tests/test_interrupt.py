"""Ctrl-C, and what is left for the next run."""

import asyncio
import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from yard.client import Endpoints
from yard.testkit.eventually import eventually

from libs.client.tests.far_side import ARCHIVE, FarSide, new_far_side, serving

PROGRAM = Path(sys.executable).parent / "frameyard"


async def start(home: Path, endpoints: Endpoints, *arguments: str) -> asyncio.subprocess.Process:
    (home / "endpoints.json").write_text(json.dumps(asdict(endpoints)))
    # What is started in the background of a shell ignores Ctrl-C, and so would what it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return await asyncio.create_subprocess_exec(
        PROGRAM,
        "--endpoints",
        "endpoints.json",
        *arguments,
        cwd=home,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def upload(far_side: FarSide, home: Path, *, interrupt: bool) -> tuple[int | None, str, str]:
    async with serving(far_side) as endpoints:
        process = await start(home, endpoints, "upload", "resume", "an-id", "long.mp4")
        if interrupt:
            await eventually(lambda: len(far_side.received) > 0)
            process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_an_upload_that_was_interrupted_says_how_to_go_on(home: Path) -> None:
    far_side = new_far_side()
    content = ARCHIVE * 20
    far_side.size_bytes = len(content)
    far_side.gate.clear()
    (home / "long.mp4").write_bytes(content)
    code, out, err = await upload(far_side, home, interrupt=True)
    assert (code, out) == (130, "")
    assert err == "to go on: frameyard upload resume an-id long.mp4\ninterrupted\n"
    far_side.gate.set()
    code, out, err = await upload(far_side, home, interrupt=False)
    assert (code, out, err) == (0, "upload an-id\n", "")
    assert bytes(far_side.received) == content
