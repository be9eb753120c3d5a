"""Texts that requests carry."""

from typing import Annotated, TypeAlias

from pydantic import Field

# With a limit it is checked whether it is text at all: halves of characters are none.
Text: TypeAlias = Annotated[str, Field(max_length=4096)]
