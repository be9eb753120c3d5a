"""Real servers, generated clips and contract suites for tests."""
