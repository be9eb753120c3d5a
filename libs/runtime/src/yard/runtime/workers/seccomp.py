"""A seccomp filter: no sockets, no new programs or processes, no writes to files, no hand on other processes.

Syscall numbers are those of the kernel's tables for x86_64 and aarch64 (None: the machine does not have it).
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_PR_SET_SECCOMP = 22
_MODE_FILTER = 2

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_KILL, _REFUSE, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_NR, _ARCH, _ARG0, _ARG1, _ARG2 = 0, 4, 16, 24, 32  # offsets in struct seccomp_data, low words
_X32_BIT = 0x40000000
_CLONE_THREAD = 0x00010000
_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

_Numbers = tuple[int | None, int | None]

_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

_REFUSED: tuple[_Numbers, ...] = (
    (41, 198),  # socket
    (42, 203),  # connect
    (49, 200),  # bind
    (50, 201),  # listen
    (43, 202),  # accept
    (288, 242),  # accept4
    (425, 425),  # io_uring_setup: would go around this filter
    (59, 221),  # execve
    (322, 281),  # execveat
    (57, None),  # fork
    (58, None),  # vfork
    (101, 117),  # ptrace
    (310, 270),  # process_vm_readv
    (311, 271),  # process_vm_writev
    (438, 438),  # pidfd_getfd
    (424, 424),  # pidfd_send_signal
    (200, 130),  # tkill
    (129, 138),  # rt_sigqueueinfo
    (297, 240),  # rt_tgsigqueueinfo
    (272, 97),  # unshare
    (308, 268),  # setns
    (165, 40),  # mount
    (321, 280),  # bpf
    (323, 282),  # userfaultfd
    (298, 241),  # perf_event_open
    (248, 217),  # add_key
    (249, 218),  # request_key
    (250, 219),  # keyctl
    (85, None),  # creat
    (82, None),  # rename
    (264, 38),  # renameat
    (316, 276),  # renameat2
    (87, None),  # unlink
    (263, 35),  # unlinkat
    (83, None),  # mkdir
    (258, 34),  # mkdirat
    (84, None),  # rmdir
    (86, None),  # link
    (265, 37),  # linkat
    (88, None),  # symlink
    (266, 36),  # symlinkat
    (76, 45),  # truncate
    (133, None),  # mknod
    (259, 33),  # mknodat
    (90, None),  # chmod
    (268, 53),  # fchmodat
    (92, None),  # chown
    (94, None),  # lchown
    (260, 54),  # fchownat
)
_ABSENT = ((435, 435), (437, 437))  # clone3, openat2: their flags cannot be seen; libc falls back on ENOSYS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Condition:
    """Refuse a syscall unless (or if) a comparison with one argument holds."""

    numbers: _Numbers
    argument: int
    jump: int
    value: int
    refuse_if: bool


def install() -> None:
    """Filters this thread and all that it starts; needs no_new_privs; OSError if the kernel refuses."""
    machine = platform.machine()
    if machine not in _MACHINES:
        raise OSError(errno.ENOSYS, f"no syscall numbers for {machine}")
    column, arch = _MACHINES[machine]
    instructions = list(_program(column, arch))
    code = ctypes.create_string_buffer(b"".join(instructions))
    address = ctypes.addressof(code)
    program = ctypes.create_string_buffer(struct.pack("@HP", len(instructions), address))
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = (ctypes.c_ulong(_MODE_FILTER), ctypes.byref(program))
    if libc.prctl(_PR_SET_SECCOMP, *arguments, ctypes.c_ulong(0), ctypes.c_ulong(0)):
        raise OSError(ctypes.get_errno(), "seccomp")


def _program(column: int, arch: int) -> Iterator[bytes]:
    yield _step(_LOAD, _ARCH)
    yield _step(_JUMP_EQUAL, arch, 1, 0)
    yield _step(_RETURN, _KILL)
    yield _step(_LOAD, _NR)
    yield _step(_JUMP_AT_LEAST, _X32_BIT, 0, 1)
    yield _step(_RETURN, _REFUSE | errno.EPERM)
    for condition in _conditions():
        yield from _conditional(condition, column)
    for refused, error in ((_REFUSED, errno.EPERM), (_ABSENT, errno.ENOSYS)):
        for numbers in refused:
            yield from _refusal(numbers[column], error)
    yield _step(_RETURN, _ALLOW)


def _conditions() -> tuple[_Condition, ...]:
    own = os.getpid()
    return (
        _no_writing((2, None), _ARG1),  # open
        _no_writing((257, 56), _ARG2),  # openat
        _only_for((62, 129), own),  # kill
        _only_for((234, 131), own),  # tgkill
        _only_for((302, 261), 0),  # prlimit64: 0 is the caller
        _Condition(  # clone: threads, not processes
            numbers=(56, 220), argument=_ARG0, jump=_JUMP_ANY_BIT, value=_CLONE_THREAD, refuse_if=False
        ),
    )


def _no_writing(numbers: _Numbers, flags: int) -> _Condition:
    return _Condition(numbers=numbers, argument=flags, jump=_JUMP_ANY_BIT, value=_WRITE_FLAGS, refuse_if=True)


def _only_for(numbers: _Numbers, process: int) -> _Condition:
    return _Condition(numbers=numbers, argument=_ARG0, jump=_JUMP_EQUAL, value=process, refuse_if=False)


def _conditional(condition: _Condition, column: int) -> Iterator[bytes]:
    number = condition.numbers[column]
    if number is None:
        return
    on_true, on_false = (0, 1) if condition.refuse_if else (1, 0)
    yield _step(_JUMP_EQUAL, number, 0, 4)
    yield _step(_LOAD, condition.argument)
    yield _step(condition.jump, condition.value, on_true, on_false)
    yield _step(_RETURN, _REFUSE | errno.EPERM)
    yield _step(_RETURN, _ALLOW)


def _refusal(number: int | None, error: int) -> Iterator[bytes]:
    if number is not None:
        yield _step(_JUMP_EQUAL, number, 0, 1)
        yield _step(_RETURN, _REFUSE | error)


def _step(code: int, value: int, on_true: int = 0, on_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, on_true, on_false, value)
