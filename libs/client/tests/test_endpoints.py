import json
from dataclasses import asdict
from pathlib import Path

import pytest
from yard.client import ClientError, Endpoints

ADDRESSES = {
    "identity": "127.0.0.1:1",
    "task": "127.0.0.1:2",
    "media_ingest": "127.0.0.1:3",
    "chunking": "127.0.0.1:4",
    "export": "127.0.0.1:5",
}


def test_a_file_of_the_platform_is_read_and_more_services_do_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "endpoints.json"
    file.write_text(json.dumps({**ADDRESSES, "webhook": "127.0.0.1:6", "other": "127.0.0.1:7"}))
    assert asdict(Endpoints.load(file)) == {**ADDRESSES, "webhook": "127.0.0.1:6", "repo_sync": ""}
    assert Endpoints.of(ADDRESSES).webhook == ""


def test_missing_services_are_named() -> None:
    with pytest.raises(ClientError, match="no address given for chunking, export"):
        Endpoints.of({**ADDRESSES, "chunking": "", "export": ""})


@pytest.mark.parametrize("content", [None, "{", "[]", "3"])
def test_a_file_that_cannot_be_read_is_named_with_a_hint(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "endpoints.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ClientError, match=r"endpoints\.json") as caught:
        Endpoints.load(file)
    assert "make up" in caught.value.hint
