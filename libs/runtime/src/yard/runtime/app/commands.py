"""`python -m yard.<service>`: serve (the default), migrate, dead-letters list or redrive."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from yard.runtime import errors, telemetry
from yard.runtime.app import letters, schema
from yard.runtime.app.lifecycle import serving
from yard.runtime.app.service import S, Service
from yard.runtime.settings import SettingsError, load

_log = telemetry.log(__name__)
