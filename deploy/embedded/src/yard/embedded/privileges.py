"""What a child does to itself between fork and exec, so that servers which refuse root run for root too."""

import ctypes
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

Dress = Literal["self", "namespace", "nobody"]
"""As we are; as nobody in a user namespace, where files stay ours; or as nobody who may open all files."""

NOBODY: Final = 65534

_CLONE_NEWUSER: Final = 0x10000000
_PR_SET_KEEPCAPS: Final = 8
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_RAISE: Final = 2
_CAP_DAC_OVERRIDE: Final = 1
_CAPABILITY_VERSION_3: Final = 0x20080522


def changing(dress: Dress) -> Callable[[ctypes.CDLL], None]:
    """The step for the child; made before the fork, since little is safe after it. It raises OSError."""
    uid, gid = os.geteuid(), os.getegid()
    # Header: version, own process. Data, low and high half: effective, permitted, inheritable.
    header = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0))
    mask = 1 << _CAP_DAC_OVERRIDE
    sets = ctypes.create_string_buffer(struct.pack("=6I", mask, mask, mask, 0, 0, 0))

    def enter_namespace(libc: ctypes.CDLL) -> None:
        # No chown is needed, and private folders above stay private.
        _check(libc.unshare(_CLONE_NEWUSER), "no user namespace")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{NOBODY} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{NOBODY} {gid} 1")

    def become_nobody(libc: ctypes.CDLL) -> None:
        # The one right that is kept opens the folders above the data, which are often closed to all but root.
        _check(libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0), "cannot keep capabilities")
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        _check(libc.capset(header, sets), "cannot open closed folders")
        raised = libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)
        _check(raised, "cannot hand capabilities on")

    def stay(_: ctypes.CDLL) -> None:
        pass

    steps = {"self": stay, "namespace": enter_namespace, "nobody": become_nobody}
    return steps[dress]


def hand_over(folder: Path, dress: Dress) -> None:
    """Makes the one who will run in this dress the owner of the folder and what is in it, if it is not."""
    owner = NOBODY if dress == "nobody" else os.geteuid()
    if folder.stat().st_uid == owner:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner, owner, follow_symlinks=False)


def _check(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), what)
