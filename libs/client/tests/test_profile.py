import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from yard.client import ClientError, Endpoints
from yard.client.cli.context import Context
from yard.client.cli.profile import Profile
from yard.client.session import Tokens

HERE = Endpoints(identity="h:1", task="h:2", media_ingest="h:3", chunking="h:4", export="h:5")


def tokens(name: str = "a") -> Tokens:
    return Tokens(access=name, refresh=f"{name}-refresh", expire_time=datetime(2099, 1, 1, tzinfo=UTC))


def kept(folder: Path) -> Profile:
    profile = Profile(folder, "default")
    profile.use(HERE, folder / "endpoints.json")
    profile.keep(tokens())
    return profile


def write_endpoints(file: Path, prefix: str = "h") -> None:
    names = ("identity", "task", "media_ingest", "chunking", "export")
    file.write_text(json.dumps({name: f"{prefix}:{number}" for number, name in enumerate(names, 1)}))


def test_a_session_outlives_the_process(tmp_path: Path) -> None:
    kept(tmp_path)
    again = Profile(tmp_path, "default")
    assert again.tokens == tokens()
    assert again.endpoints == HERE
    assert again.endpoints_file() == tmp_path / "endpoints.json"


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "frameyard"
    kept(folder)
    assert (folder / "default.json").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in folder.iterdir()] == ["default.json"]


def test_an_open_file_is_closed_by_the_next_login(tmp_path: Path) -> None:
    kept(tmp_path)
    (tmp_path / "default.json").chmod(0o644)
    kept(tmp_path)
    assert (tmp_path / "default.json").stat().st_mode & 0o777 == 0o600


def test_the_end_of_a_session_keeps_where_the_platform_is(tmp_path: Path) -> None:
    kept(tmp_path).keep(None)
    again = Profile(tmp_path, "default")
    assert (again.tokens, again.endpoints) == (None, HERE)


def test_forgetting_removes_all(tmp_path: Path) -> None:
    kept(tmp_path).forget()
    assert not (tmp_path / "default.json").exists()


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "x" * 65])
def test_a_profile_is_a_name_and_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ClientError, match="not the name of a profile"):
        Profile(tmp_path, name)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"tokens": 3}', '{"tokens": {"access": "x"}}', '{"endpoints": [], "tokens": null}'],
)
def test_a_damaged_file_means_to_log_in_again(tmp_path: Path, content: str) -> None:
    (tmp_path / "default.json").write_text(content)
    profile = Profile(tmp_path, "default")
    assert (profile.tokens, profile.endpoints, profile.endpoints_file()) == (None, None, None)


def test_who_waited_to_renew_sees_what_the_first_one_kept(tmp_path: Path) -> None:
    first, second = kept(tmp_path), Profile(tmp_path, "default")

    def wait() -> Tokens | None:
        with second.renewing() as found:
            return found

    with ThreadPoolExecutor(1) as pool:
        with first.renewing():
            waiting = pool.submit(wait)
            first.keep(tokens("b"))
            assert not waiting.done()
        assert waiting.result(10) == tokens("b")


def test_tokens_are_fresh_until_a_minute_before_their_end() -> None:
    soon = datetime.fromtimestamp(time.time() + 30, UTC)
    assert tokens().are_fresh
    assert not Tokens(access="a", refresh="r", expire_time=soon).are_fresh


async def test_tokens_go_only_to_the_platform_that_gave_them(home: Path) -> None:
    ours, others = home / "ours.json", home / "others.json"
    write_endpoints(ours)
    write_endpoints(others, "elsewhere")
    async with Context(str(ours), "default").client() as client:
        client.session._keep(tokens())
    async with Context(None, "default").client() as client:
        assert client.session.tokens == tokens()
    async with Context(str(others), "default").client() as client:
        assert client.session.tokens is None


async def test_a_platform_that_moved_is_found_by_its_file(home: Path) -> None:
    file = home / "ours.json"
    write_endpoints(file)
    async with Context(str(file), "default").client() as client:
        client.session._keep(tokens())
    write_endpoints(file, "moved")
    async with Context(None, "default").client() as client:
        assert client.endpoints.task == "moved:2"
        assert client.session.tokens == tokens()
    file.unlink()
    async with Context(None, "default").client() as client:
        assert client.endpoints.task == "h:2"


async def test_a_file_that_was_named_must_be_there(home: Path) -> None:
    write_endpoints(home / "ours.json")
    async with Context(str(home / "ours.json"), "default").client() as client:
        client.session._keep(tokens())
    with pytest.raises(ClientError, match=r"gone\.json"):
        Context(str(home / "gone.json"), "default").client()
