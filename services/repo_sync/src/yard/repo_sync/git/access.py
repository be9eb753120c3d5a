"""How a repository is opened, and by which keys its host is known."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A token for https or a private key for ssh, opened; or neither.

    `known_hosts` are pairs of type and base64 key, without the host's name; none: what the first connection
    shows is taken over.
    """

    username: str = ""
    token: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    known_hosts: tuple[str, ...] = ()
