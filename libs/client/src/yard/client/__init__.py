"""Typed asynchronous client of the gRPC API, and the frameyard command."""
