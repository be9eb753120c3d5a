"""The barest gRPC server there is, for comparison: python -m benchmarks.runtime_echo PORT_FILE."""

import asyncio
import sys
from pathlib import Path
from typing import Any, Final

import grpc
import grpc.aio

SERVICE: Final = "bench.Echo"


async def _echo(request: bytes, context: Any) -> bytes:
    return request


async def main(port_file: Path) -> None:
    """Until it is killed."""
    server = grpc.aio.server()
    handlers: dict[str, Any] = {"Echo": grpc.unary_unary_rpc_method_handler(_echo)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    fresh = port_file.with_suffix(".new")
    fresh.write_text(f"127.0.0.1:{port}")
    fresh.rename(port_file)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
