"""One command on a remote's ssh host, beside those of git: LFS is opened by one."""

import shlex

from yard.repo_sync.git.connection import Connection
from yard.repo_sync.git.refusals import Complaint, refusal
from yard.repo_sync.git.running import Command, run

_MOST_WRITTEN_BYTES = 1024 * 1024


async def ssh_command(connection: Connection, words: tuple[str, ...]) -> bytes:
    """What it prints; each word reaches the host as one word, whatever is in it."""
    remote = connection.remote
    host = f"{remote.user}@{remote.host}"
    program = connection.environment["GIT_SSH"]
    finished = await run(
        Command(
            words=(program, "-p", str(remote.port), "--", host, shlex.join(words)),
            environment=connection.environment,
            folder=connection.folder,
            file_bytes=_MOST_WRITTEN_BYTES,
            port=remote.port,
        )
    )
    if finished.code:
        raise refusal(Complaint(remote, connection.access, finished.complaint))
    return finished.output
