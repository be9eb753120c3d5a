"""Starts the service: `python -m yard.identity`."""

from yard.identity.service import SERVICE
from yard.runtime.app import run

run(SERVICE)
