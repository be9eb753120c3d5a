"""Jobs that the tests of the worker pool run in its children."""

import ctypes
import hashlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from yard.runtime.workers import Host

Arguments = Mapping[str, Any]


class MediaError(Exception):
    def __init__(self, code: str, message: str, name: str = "") -> None:
        self.code, self.message, self.name = code, message, name


def echo(arguments: Arguments, host: Host) -> dict[str, Any]:
    return {"pid": os.getpid(), **arguments}


def environment(arguments: Arguments, host: Host) -> dict[str, Any]:
    return {
        "environment": dict(os.environ),  # noqa: TID251 - what the child was given
        "modules": sorted(sys.modules),
        "stdin": str(Path("/proc/self/fd/0").readlink()),
    }


def emit(arguments: Arguments, host: Host) -> dict[str, Any]:
    digest = hashlib.sha256()
    for number in range(arguments["pieces"]):
        piece = number.to_bytes(4, "big") * (arguments["size"] // 4)
        digest.update(piece)
        host.emit(piece)
    return {"sha256": digest.hexdigest()}


def read(arguments: Arguments, host: Host) -> dict[str, Any]:
    """Reads (offset, length) ranges with one file, and the rest from the last one's end."""
    with host.open("media") as file:
        parts = []
        for offset, length in arguments["ranges"]:
            file.seek(offset)
            parts.append(file.read(length))
        return {"parts": parts, "size": file.size, "rest": hashlib.sha256(file.read()).hexdigest()}


def copy(arguments: Arguments, host: Host) -> dict[str, Any]:
    """Emits from one thread what another one reads."""
    threads = [threading.Thread(target=_copy, args=(host, name)) for name in arguments["names"]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {}


def _copy(host: Host, name: str) -> None:
    with host.open(name) as file:
        while piece := file.read(100_000):
            host.emit(piece)


def progress(arguments: Arguments, host: Host) -> dict[str, Any]:
    for step in range(arguments["steps"]):
        host.progress(step / arguments["steps"])
    host.progress(1.0)
    return {}


def unknown_source(arguments: Arguments, host: Host) -> dict[str, Any]:
    host.open("absent")
    return {}


def refuse(arguments: Arguments, host: Host) -> dict[str, Any]:
    raise MediaError(arguments["code"], "the moov atom is missing", arguments["name"])


def fail(arguments: Arguments, host: Host) -> dict[str, Any]:
    raise RuntimeError("secret detail")


def unpackable(arguments: Arguments, host: Host) -> dict[str, Any]:
    return {"value": object()}


def crash(arguments: Arguments, host: Host) -> dict[str, Any]:
    if arguments["emit"]:
        host.emit(b"first bytes")
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


def spin(arguments: Arguments, host: Host) -> dict[str, Any]:
    host.emit(os.getpid().to_bytes(4, "big"))
    while True:
        pass


def hold(arguments: Arguments, host: Host) -> dict[str, Any]:
    """Ends when the parent answers a read."""
    host.emit(b"held")
    with host.open("gate") as file:
        return {"read": file.read()}


def hog(arguments: Arguments, host: Host) -> dict[str, Any]:
    return {"size": len(bytearray(arguments["mib"] * 1024 * 1024))}


def nonsense(arguments: Arguments, host: Host) -> dict[str, Any]:
    """What a taken-over child might do: write to the connection past the host."""
    os.write(int(sys.argv[1]), bytes.fromhex(arguments["frame"]))
    threading.Event().wait()
    return {}


def escape(arguments: Arguments, host: Host) -> dict[str, Any]:
    """Tries what the sandbox forbids; the answers are "done" or the error's name."""
    attempts = {
        "socket": lambda: socket.socket(socket.AF_INET),
        "unix_socket": lambda: socket.socket(socket.AF_UNIX),
        "exec": lambda: os.execv("/bin/true", ["true"]),
        "fork": os.fork,
        "write_new": lambda: Path(arguments["folder"], "new").write_bytes(b"x"),
        "write_old": lambda: Path(arguments["folder"], "old").write_bytes(b"x"),
        "remove": lambda: Path(arguments["folder"], "old").unlink(),
        "read": lambda: Path(arguments["folder"], "old").read_bytes(),
        "list": lambda: list(Path(arguments["folder"]).iterdir()),
        "parent_environment": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
        "kill_parent": lambda: os.kill(os.getppid(), signal.SIGTERM),
        "raise_limits": _raise_limits,
        "interfaces": _interfaces,
    }
    return {name: _outcome(attempt) for name, attempt in attempts.items()}


def _outcome(attempt: Any) -> str:
    try:
        attempt()
    except (OSError, ValueError) as exc:
        return type(exc).__name__
    return "done"


def _raise_limits() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _interfaces() -> None:
    """The namespace has no interface but loopback; only visible where namespaces are allowed."""
    if not any(name != "lo" for _, name in socket.if_nameindex()):
        raise OSError("loopback only")


def threads(arguments: Arguments, host: Host) -> dict[str, Any]:
    """Starts threads as decoders do, below Python too."""
    started = [threading.Thread(target=sum, args=(range(1000),)) for _ in range(8)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    return {"no_new_privs": ctypes.CDLL(None).prctl(39, 0, 0, 0, 0)}


def transcode(arguments: Arguments, host: Host) -> dict[str, Any]:
    """Encodes with x264's threads and decodes with FFmpeg's: the sandbox must not stand in their way."""
    import io

    import av
    import numpy as np

    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(arguments["frames"]):
            picture = np.full((240, 320, 3), number * 7 % 256, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    with av.open(io.BytesIO(target.getvalue()), "r") as source:
        source.streams.video[0].thread_type = "AUTO"
        return {"frames": sum(1 for _ in source.decode(video=0))}
