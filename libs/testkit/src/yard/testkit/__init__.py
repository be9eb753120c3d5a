"""Real servers, generated clips and contract suites for tests."""

from yard.testkit.eventually import eventually

__all__ = ["eventually"]
