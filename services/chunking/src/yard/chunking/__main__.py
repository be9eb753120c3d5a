"""Starts the service: `python -m yard.chunking`."""

from yard.chunking.service import SERVICE
from yard.runtime.app import run

run(SERVICE)
