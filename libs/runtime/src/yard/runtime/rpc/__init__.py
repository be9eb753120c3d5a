"""gRPC: the server with its boundary, channels to other services, errors on both sides."""

from yard.runtime.rpc.acting import acts_for
from yard.runtime.rpc.boundary import Boundary
from yard.runtime.rpc.channel import channel, errors_from_rpc, translated
from yard.runtime.rpc.identity import ServiceTokens, jwks_of_identity
from yard.runtime.rpc.server import Server, Servicer

__all__ = [
    "Boundary",
    "Server",
    "ServiceTokens",
    "Servicer",
    "acts_for",
    "channel",
    "errors_from_rpc",
    "jwks_of_identity",
    "translated",
]
