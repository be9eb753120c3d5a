"""Use cases of chunking."""
