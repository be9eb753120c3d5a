"""No revisions: databases of tests that need the runtime's own tables only."""
