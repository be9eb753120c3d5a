"""Starts the service: `python -m yard.task`."""

from yard.runtime.app import run
from yard.task.service import SERVICE

run(SERVICE)
