"""The whole platform on this machine: servers and services as children of one supervisor."""

import os

# Children are forked and run another program at once. gRPC's fork handlers are made for children that go on
# with gRPC; in ours they can end the child before that. They are chosen when gRPC is first imported.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")  # noqa: TID251 - no setting of ours
