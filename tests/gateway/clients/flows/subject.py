"""What every flow works with: a client of an account, and a folder."""

from functools import cache
from pathlib import Path

from cvat_sdk import Client, Config

SOON_S = 0.2


def opened(url: str, username: str, password: str, folder: str) -> tuple[Client, Path]:
    """The account's client, whose cache is in the folder."""
    client = logged_in(url, username, password)
    client.config.cache_dir = Path(folder) / "cache"
    return client, Path(folder)


@cache
def logged_in(url: str, username: str, password: str) -> Client:
    """One connection for each account."""
    config = Config(status_check_period=SOON_S, allow_unsupported_server=False)
    client = Client(url, config=config)
    client.login((username, password))
    return client
