"""Starts the service: `python -m yard.media_ingest`."""

from yard.media_ingest.service import SERVICE
from yard.runtime.app import run

run(SERVICE)
