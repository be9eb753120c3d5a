"""What a child gives up before it imports a decoder or sees a byte from outside.

Each step is tried on its own; what the machine does not offer is reported, and the steps overlap: without
network namespaces the seccomp filter still refuses sockets, without Landlock it still refuses writes.
"""

import ctypes
import resource
import sys
from collections.abc import Callable, Sequence

from yard.runtime.workers import landlock, process_limits, seccomp

_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000

_OPEN_FILES = 64
_FILE_BYTES = 1024 * 1024  # only stderr, an unnamed file in memory, is ever written
_SHARED_MIB = 1024  # address space beyond private memory: libraries, thread arenas
_READABLE = (
    "/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/zero", "/dev/urandom",
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/sys/devices/system/node",
)  # fmt: skip


def enter(parent: int, memory_mib: int, import_paths: Sequence[str]) -> dict[str, str]:
    """Takes every step and says of each "ok" or what the kernel answered."""
    readable = [*_READABLE, sys.prefix, sys.base_prefix, *filter(None, sys.path), *import_paths]
    steps: tuple[tuple[str, Callable[[], None]], ...] = (
        ("limits", lambda: _limit(memory_mib)),
        ("namespaces", lambda: _unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC)),
        ("parent_death", lambda: process_limits.die_with(parent)),
        ("no_new_privs", process_limits.refuse_new_privileges),
        ("landlock", lambda: landlock.restrict(readable)),
        ("seccomp", seccomp.install),
    )
    return {name: _outcome(step) for name, step in steps}


def _outcome(step: Callable[[], None]) -> str:
    try:
        step()
    except (OSError, ValueError) as exc:
        return str(exc)
    return "ok"


def _limit(memory_mib: int) -> None:
    """RLIMIT_DATA counts private writable memory; RLIMIT_AS above it stops shared mappings."""
    process_limits.limit(
        {
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_NOFILE: _OPEN_FILES,
            resource.RLIMIT_FSIZE: _FILE_BYTES,
            resource.RLIMIT_DATA: memory_mib * 1024 * 1024,
            resource.RLIMIT_AS: (memory_mib + _SHARED_MIB) * 1024 * 1024,
        }
    )


def _unshare(flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags):
        raise OSError(ctypes.get_errno(), "unshare")
