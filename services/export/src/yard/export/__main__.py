"""Starts the service: `python -m yard.export`."""

from yard.export.service import SERVICE
from yard.runtime.app import run

run(SERVICE)
