"""Runs a program with less than we have: `python -I -m yard.repo_sync.git.confined LIMITS PROGRAM …`.

The program reads what a remote sends: what it writes is bounded, it uses the files of its one folder and of
the system's programs, and connects to one port. Each step is taken on its own, as not every kernel has all.

This process stays, to end it with all that it has started once it has ended itself, once we are told to by
SIGTERM, and once who has started us is killed. Git's helpers alone would go on until their remote answers.
"""

import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from yard.runtime.workers import landlock, process_limits

_OPEN_FILES = 256
_MEMORY_BYTES = 1024 * 1024 * 1024
_HEEDED = {signal.SIGTERM, signal.SIGCHLD}
_EXECUTABLE = ("/usr", "/bin", "/lib", "/lib64", "/opt")
_READABLE = (
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/gnutls"),
    *(
        "/etc/crypto-policies",
        "/etc/passwd",
        "/etc/group",
        "/etc/nsswitch.conf",
        "/etc/hosts",
        "/etc/host.conf",
    ),
    *("/etc/resolv.conf", "/etc/gai.conf", "/etc/services", "/dev/urandom", "/dev/random", "/proc/self"),
    *("/proc/sys/crypto", "/proc/meminfo", "/sys/devices/system/cpu"),
)
_WRITABLE = ("/dev/null",)


def words(folder: str, file_bytes: int, port: int, program: tuple[str, ...]) -> tuple[str, ...]:
    """The command that starts the program; port 0: it connects to nothing."""
    starter = (sys.executable, "-I", "-m", "yard.repo_sync.git.confined")
    return (*starter, str(os.getpid()), folder, str(file_bytes), str(port), *program)


def main(given: list[str]) -> None:
    """Starts the program and ends as it does."""
    parent, folder, file_bytes, port, *program = given
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEEDED)
    process_limits.die_with(int(parent), signal.SIGTERM)
    with suppress(OSError):
        process_limits.adopt_orphans()
    us = os.getpid()
    child = os.fork()
    if child:
        sys.exit(_outlive(child))
    steps: tuple[Callable[[], object], ...] = (
        lambda: os.setpgid(0, 0),
        lambda: _limit(int(file_bytes)),
        lambda: process_limits.die_with(us),
        process_limits.refuse_new_privileges,
        lambda: _confine(folder, int(port)),
        lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEEDED),
    )
    for step in steps:
        with suppress(OSError, ValueError):
            step()
    try:
        os.execvp(program[0], program)  # noqa: S606 - no shell is meant
    except FileNotFoundError:
        sys.exit(f"there is no {program[0]} on this server")


def _outlive(child: int) -> int:
    """Waits for its end or for ours, and leaves nothing of it; how it ended."""
    with suppress(OSError):  # it may have done so itself, and more
        os.setpgid(child, child)
    nothing = os.open("/dev/null", os.O_RDWR)
    for standard in range(3):  # the pipes are the program's alone: their end is that of all who hold them
        os.dup2(nothing, standard)
    ended = None
    while ended is None and signal.sigwait(_HEEDED) != signal.SIGTERM:
        # It is not collected yet: until then no other group can have its number.
        ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    _end_orphans()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _end_orphans() -> None:
    """What has left the group too: whoever loses its parent becomes our child."""
    while True:
        try:
            with open("/proc/thread-self/children") as file:  # noqa: PTH123 - no pathlib in children
                orphans = file.read().split()
        except OSError:  # not every kernel tells
            return
        for orphan in orphans:
            with suppress(ProcessLookupError):
                os.kill(int(orphan), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _limit(file_bytes: int) -> None:
    process_limits.limit(
        {
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_NOFILE: _OPEN_FILES,
            resource.RLIMIT_FSIZE: file_bytes,
            resource.RLIMIT_DATA: _MEMORY_BYTES,
        }
    )


def _confine(folder: str, port: int) -> None:
    landlock.restrict(
        [*_READABLE, *filter(None, sys.path)],
        executable=[*_EXECUTABLE, sys.prefix, sys.base_prefix],
        writable=[*_WRITABLE, folder],
        ports=[port] if port else [],
    )


if __name__ == "__main__":
    main(sys.argv[1:])
