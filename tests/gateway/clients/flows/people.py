"""Logging in and out, by password and by token, and people."""

from pathlib import Path
from typing import Any

from cvat_sdk import Client, Config, make_client, models
from cvat_sdk.api_client import ApiClient, Configuration
from cvat_sdk.core.client import AccessTokenCredentials

from tests.gateway.clients.flows.scenes import refused

STRICT = Config(allow_unsupported_server=False)


def by_password(client: Client, folder: Path, *, username: str, password: str) -> dict[str, Any]:
    """The way of the documentation: make_client, ask who one is, log out."""
    host = client.api_map.host
    with make_client(host, credentials=(username, password)) as own:
        own.check_server_version(fail_if_unsupported=True)
        me = own.users.retrieve_current_user()
        assert me.username == username
        sent = own.api_client.cookies
        key = sent["sessionid"].value
        own.logout()
        assert not own.has_credentials()
        with refused(401):
            own.users.retrieve_current_user()
        own.login((username, password))
        assert own.api_client.cookies["sessionid"].value != key
    about, _ = client.api_client.server_api.retrieve_about()
    return {"id": me.id, "username": me.username, "version": about.version}


def with_a_wrong_password(client: Client, folder: Path, *, username: str) -> str:
    """What the client is told."""
    with Client(client.api_map.host, config=STRICT) as other, refused(400) as told:
        other.login((username, "wrong"))
    return told[0]


def by_token(client: Client, folder: Path) -> dict[str, Any]:
    """Makes a token, uses it, and takes it back."""
    tokens = client.api_client.auth_api
    spec = models.AccessTokenWriteRequest(name="for scripts", read_only=True)
    made, _ = tokens.create_access_tokens(access_token_write_request=spec)
    assert made.value
    listed, _ = tokens.list_access_tokens()
    assert made.id in [token.id for token in listed.results]
    with make_client(client.api_map.host, access_token=made.value) as own:
        me = own.users.retrieve_current_user()
        described, _ = own.api_client.auth_api.retrieve_access_tokens_self()
        assert (described.name, described.read_only) == ("for scripts", True)
        with refused(403):
            own.tasks.create({"name": "no"})
    tokens.destroy_access_tokens(made.id)
    with Client(client.api_map.host, config=STRICT) as own:
        own.login(AccessTokenCredentials(made.value))
        with refused(401):
            own.users.retrieve_current_user()
    return {"username": me.username}


def make_token(client: Client, folder: Path) -> str:
    """For the command line."""
    spec = models.AccessTokenWriteRequest(name="cli", read_only=False)
    made, _ = client.api_client.auth_api.create_access_tokens(access_token_write_request=spec)
    return str(made.value)


def by_basic(client: Client, folder: Path, *, username: str, password: str) -> str:
    """The low-level client sends the password with each call."""
    configuration = Configuration(host=client.api_map.host, username=username, password=password)
    with ApiClient(configuration) as low:
        me, _ = low.users_api.retrieve_self()
        return str(me.username)


def found(client: Client, folder: Path, *, username: str) -> list[str]:
    """Users, listed and searched for."""
    everyone = {user.username for user in client.users.list()}
    assert username in everyone
    return [user.username for user in client.users.list(search=username)]


def found_by_id(client: Client, folder: Path, *, username: str) -> str:
    """A user as anybody sees them."""
    me = client.users.retrieve_current_user()
    assert me.username == username
    return str(client.users.retrieve(me.id).username)


def server(client: Client, folder: Path) -> dict[str, Any]:
    """What the server says of itself."""
    formats, _ = client.api_client.server_api.retrieve_annotation_formats()
    plugins, _ = client.api_client.server_api.retrieve_plugins()
    assert isinstance(plugins.models, bool)
    return {
        "importers": [known.name for known in formats.importers],
        "exporters": [known.name for known in formats.exporters],
    }


def of_oneself(client: Client, folder: Path, *, username: str, password: str) -> list[str]:
    """A name of one's own, another password, and what is then not good any more."""
    host = client.api_map.host
    with make_client(host, credentials=(username, password)) as own:
        me = own.users.retrieve_current_user()
        me.update(models.PatchedUserRequest(first_name="Ada", last_name="L."))
        assert (me.first_name, me.last_name) == ("Ada", "L.")
        auth = own.api_client.auth_api
        wish = {"new_password1": "another long password", "new_password2": "another long password"}
        with refused(400) as wrong:
            auth.create_password_change(password_change_request={**wish, "old_password": "a guess"})
        auth.create_password_change(password_change_request={**wish, "old_password": password})
    with Client(host, config=STRICT) as other:
        with refused(400):
            other.login((username, password))
        other.login((username, wish["new_password1"]))
        assert other.users.retrieve_current_user().username == username
    return wrong
