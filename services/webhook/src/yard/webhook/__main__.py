"""Starts the service: `python -m yard.webhook`."""

from yard.runtime.app import run
from yard.webhook.service import SERVICE

run(SERVICE)
