"""All SQL of media_ingest, beside typed functions."""
