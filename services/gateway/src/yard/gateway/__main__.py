"""Starts the gateway: `python -m yard.gateway`."""

from yard.gateway.service import SERVICE
from yard.runtime.app import run

run(SERVICE)
