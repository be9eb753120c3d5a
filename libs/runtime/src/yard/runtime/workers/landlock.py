"""Landlock: files may be used below a few paths only, and other processes neither read nor signalled.

Constants and struct layouts: linux/landlock.h; the syscall numbers are the same on all machines.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Iterable

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_QUERY_VERSION = 1
_PATH_BENEATH, _NET_PORT = 1, 2
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE  # the other rights are of folders
_CHANGES_SINCE = 3  # the ABI from which files can be renamed between folders, and be cut
_FILE_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 5: 16}  # number of rights known since that ABI
_BIND_AND_CONNECT_TCP, _CONNECT_TCP = 3, 2
_ABSTRACT_SOCKETS_AND_SIGNALS = 3


def restrict(
    readable: Iterable[str],
    *,
    executable: Iterable[str] = (),
    writable: Iterable[str] = (),
    ports: Iterable[int] = (),
) -> None:
    """Denies this thread and all that it starts any file access but this, and TCP but to these ports.

    What is executable or writable is readable too. OSError if the kernel has none of it, or too little for
    writing.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    abi = _checked(libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(_QUERY_VERSION)))
    writable = tuple(writable)
    if writable and abi < _CHANGES_SINCE:
        raise OSError(errno.ENOSYS, "landlock")
    attributes = _attributes(abi)
    ruleset = _checked(
        libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0))
    )
    try:
        reading = _READ_FILE | _READ_DIR
        for paths, rights in (
            (readable, reading),
            (executable, reading | _EXECUTE),
            (writable, _file_rights(abi) & ~_EXECUTE),
        ):
            for path in paths:
                _allow(libc, ruleset, path, rights)
        for port in ports if abi >= 4 else ():
            rule = struct.pack("=QQ", _CONNECT_TCP, port)
            _checked(libc.syscall(_ADD_RULE, ruleset, _NET_PORT, rule, ctypes.c_uint(0)))
        _checked(libc.syscall(_RESTRICT_SELF, ruleset, ctypes.c_uint(0)))
    finally:
        os.close(ruleset)


def _file_rights(abi: int) -> int:
    """All that are known to this kernel."""
    return (1 << max(count for since, count in _FILE_RIGHTS_BY_ABI.items() if since <= abi)) - 1


def _attributes(abi: int) -> bytes:
    fields = [_file_rights(abi)]
    if abi >= 4:
        fields.append(_BIND_AND_CONNECT_TCP)
    if abi >= 6:
        fields.append(_ABSTRACT_SOCKETS_AND_SIGNALS)
    return struct.pack(f"={len(fields)}Q", *fields)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # not every machine has every path
        return
    try:
        fitting = rights if os.path.isdir(path) else rights & _OF_FILES  # noqa: PTH112 - no pathlib in children
        rule = struct.pack("=Qi", fitting, fd)
        _checked(libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, ctypes.c_uint(0)))
    finally:
        os.close(fd)


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), "landlock")
    return result
