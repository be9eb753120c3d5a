"""All SQL of the webhook service."""

from typing import TypeAlias

from yard.runtime.db import Database, Transaction

Reader: TypeAlias = Database | Transaction
