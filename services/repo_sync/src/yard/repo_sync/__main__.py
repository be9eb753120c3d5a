"""Starts the service: `python -m yard.repo_sync`."""

from yard.repo_sync.service import SERVICE
from yard.runtime.app import run

run(SERVICE)
