"""The only way out to addresses that users name: checked when they are parsed, resolved and redirected."""

from yard.runtime.egress.addresses import Network, is_public, parse_networks
from yard.runtime.egress.answers import Answer
from yard.runtime.egress.connecting import Resolve, checked_addresses, system_resolve
from yard.runtime.egress.faults import Cut, Refused
from yard.runtime.egress.fetching import Egress
from yard.runtime.egress.git_remote import GitRemote, RepositoryField
from yard.runtime.egress.pace import Patience
from yard.runtime.egress.posting import Posting, Reply
from yard.runtime.egress.uploading import Uploading
from yard.runtime.egress.urls import LONGEST_URL, RemoteUrl

__all__ = [
    "LONGEST_URL",
    "Answer",
    "Cut",
    "Egress",
    "GitRemote",
    "Network",
    "Patience",
    "Posting",
    "Refused",
    "RemoteUrl",
    "Reply",
    "RepositoryField",
    "Resolve",
    "Uploading",
    "checked_addresses",
    "is_public",
    "parse_networks",
    "system_resolve",
]
