"""Numbers that requests carry, within what the services can hold."""

from typing import Annotated, Final, TypeAlias

from pydantic import Field

LARGEST_ID: Final = 2**63 - 1

Id: TypeAlias = Annotated[int | None, Field(ge=0, le=LARGEST_ID)]
Count: TypeAlias = Annotated[int | None, Field(ge=0, le=2**31 - 1)]
