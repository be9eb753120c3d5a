"""Real servers, generated clips and contract suites for tests."""

import os

from yard.testkit.eventually import eventually

__all__ = ["eventually"]

# As in services: tests start programs while gRPC's threads run.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")  # noqa: TID251 - no setting of ours
