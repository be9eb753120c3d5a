"""JSON that is made by hand, where no model of a route makes it."""

from typing import Any

import orjson
from starlette.responses import Response


class JsonAnswer(Response):
    """Anything that JSON can hold."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The bytes."""
        return orjson.dumps(content)
