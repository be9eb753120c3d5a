"""Use cases of annotations: reading, saving, streaming."""
