"""The image holds what services need and no servers."""

import re
import tomllib
from pathlib import Path

DOCKERFILE = Path("deploy/docker/service.Dockerfile").read_text()


def dependencies(file: Path) -> set[str]:
    declared = tomllib.loads(file.read_text())["project"]["dependencies"]
    return {re.split(r"[\[=<>; ]", requirement)[0] for requirement in declared}


def test_only_what_no_service_needs_is_left_out() -> None:
    (names,) = re.findall(r"!/\^\(([a-z0-9|-]+)\)==/", DOCKERFILE)
    left_out = set(names.split("|"))
    locked = set(re.findall(r"(?m)^([a-z0-9-]+)==", Path("requirements.lock").read_text()))
    assert left_out <= locked
    needed = {
        name
        for folder in ("libs", "services")
        for file in Path(folder).glob("*/pyproject.toml")
        if file.parent.name != "testkit"
        for name in dependencies(file)
    }
    assert not left_out & needed


def test_every_library_of_a_service_is_installed() -> None:
    needed = {
        name.removeprefix("frameyard-").replace("-", "_")
        for file in (*Path("services").glob("*/pyproject.toml"), *Path("libs").glob("[!t]*/pyproject.toml"))
        for name in dependencies(file)
        if name.startswith("frameyard-")
    }
    assert needed <= set(re.findall(r"libs/(\w+)", DOCKERFILE))
    assert re.search(r"services/\*", DOCKERFILE)


def test_it_has_what_dataset_repositories_run() -> None:
    (installed,) = re.findall(r"apt-get install -y --no-install-recommends ([a-z -]+)", DOCKERFILE)
    assert set(installed.split()) == {"git", "openssh-client"}


def test_it_runs_as_a_user_without_rights() -> None:
    assert re.findall(r"(?m)^USER (.+)$", DOCKERFILE) == ["10001:10001"]
