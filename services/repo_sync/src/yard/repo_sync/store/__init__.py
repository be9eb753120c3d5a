"""All SQL of the repo_sync service."""

from typing import TypeAlias

from yard.runtime.db import Database, Transaction

Reader: TypeAlias = Database | Transaction
