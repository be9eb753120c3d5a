"""How git gets out, and how far it may go."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from yard.runtime.egress import Network, Resolve, system_resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Of one process; `networks` are open besides what is public.

    `folder` takes what each call makes and removes, `fetch_limit_bytes` is for what one fetch may bring,
    `timeout_s` for a whole call. `note_keys` is told the keys of an ssh host that was not known before, also
    if it does not let us in.
    """

    folder: Path
    networks: Sequence[Network] = ()
    ca_file: str = ""
    resolve: Resolve = system_resolve
    fetch_limit_bytes: int = 256 * 1024 * 1024
    timeout_s: float = 600.0
    note_keys: Callable[[tuple[str, ...]], Awaitable[None]] | None = None
