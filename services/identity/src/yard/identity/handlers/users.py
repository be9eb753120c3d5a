"""Accounts: making, reading, changing."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from frameyard.identity.v1 import identity_events_pb2 as events
from frameyard.identity.v1 import identity_service_pb2 as messages

from yard.identity import domain
from yard.identity.domain import NewUser, User
from yard.identity.handlers import guesses
from yard.identity.handlers.context import Identity, caller, require_admin
from yard.identity.rpc.messages import public_user, user_to_proto
from yard.identity.store import sessions, users
from yard.runtime import errors, idempotency
from yard.runtime.db import Transaction
