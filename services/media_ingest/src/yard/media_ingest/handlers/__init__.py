"""Use cases of media_ingest."""
