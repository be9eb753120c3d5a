"""Use cases of what was saved before: listing, reading, comparing, restoring, forgetting."""
