"""What a process takes on before it becomes another program, or reads what comes from outside."""

import ctypes
import os
import resource
import signal
from collections.abc import Mapping

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38


def limit(most: Mapping[int, int]) -> None:
    """At most so much of each resource, by its RLIMIT_*; what is limited to less already stays so."""
    for kind, value in most.items():
        hard = resource.getrlimit(kind)[1]
        least = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (least, least))


def die_with(parent: int, word: signal.Signals = signal.SIGKILL) -> None:
    """Hears of the end of its parent by that signal, and ends at once if the parent has ended already."""
    _prctl(_PR_SET_PDEATHSIG, word)
    if os.getppid() != parent:
        os._exit(1)


def refuse_new_privileges() -> None:
    """What it starts gets no more rights than it has, whoever owns the program."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def adopt_orphans() -> None:
    """What those leave that it has started becomes its own."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    rest = [ctypes.c_ulong(number) for number in (value, 0, 0, 0)]
    if libc.prctl(option, *rest):
        raise OSError(ctypes.get_errno(), "prctl")
