"""What both ends of a connection agree on."""

import json
import os
from typing import Any, Final

# Services start child processes, which run another program at once: gRPC need not stop its threads for them.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")  # noqa: TID251 - no setting of ours

MESSAGE_BYTES: Final = 64 * 1024 * 1024
METADATA_BYTES: Final = 32 * 1024
AUTHORIZATION: Final = "authorization"
BEARER: Final = "Bearer "
STATUS_DETAILS: Final = "grpc-status-details-bin"

# A server that is restarting is asked again for about three seconds. Other codes are answers, not accidents.
_RETRIES = {
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.2s",
                "maxBackoff": "1.5s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}

_COMMON: list[tuple[str, Any]] = [
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.max_metadata_size", METADATA_BYTES),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
]

SERVER: Final[list[tuple[str, Any]]] = [
    *_COMMON,
    # Two processes on one port would each get half of the calls.
    ("grpc.so_reuseport", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
]

CHANNEL: Final[list[tuple[str, Any]]] = [
    *_COMMON,
    ("grpc.enable_retries", 1),
    ("grpc.service_config", json.dumps(_RETRIES)),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]
