"""A service as a process: what it is made of, its start, its ordered end, its commands."""

from yard.runtime.app.commands import run
from yard.runtime.app.edge import Edge
from yard.runtime.app.lifecycle import Running, serving
from yard.runtime.app.service import Parts, Runtime, Service

__all__ = ["Edge", "Parts", "Running", "Runtime", "Service", "run", "serving"]
