"""Writes docs/openapi.json from the routes of the gateway, and compares with `--check`."""

import json
import sys
from pathlib import Path

from yard.gateway.app import described

TARGET = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"


def main() -> None:
    """Write the document, or with `--check` say that it is stale and fail."""
    fresh = json.dumps(described().openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if "--check" in sys.argv:
        is_stale = not TARGET.exists() or TARGET.read_text() != fresh
        sys.exit(f"stale, run `make generate`: {TARGET.name}" if is_stale else 0)
    TARGET.write_text(fresh)


if __name__ == "__main__":
    main()
