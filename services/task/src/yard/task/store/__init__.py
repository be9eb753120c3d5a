"""All SQL of task, one module a table."""

from typing import TypeAlias

from yard.runtime.db import Database, Transaction

Reader: TypeAlias = Database | Transaction
