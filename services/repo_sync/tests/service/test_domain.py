from __future__ import annotations

import base64
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from yard.repo_sync import keys
from yard.repo_sync.domain import commits
from yard.repo_sync.domain.commits import Described
from yard.repo_sync.domain.due import due_at
from yard.repo_sync.domain.git_ids import blob_ids
from yard.repo_sync.domain.rows import Counts, Repository
from yard.repo_sync.settings import Settings, check
from yard.runtime.settings import SettingsError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REPOSITORY = Repository(task_id=1, location="", url="", path="", changed_at=NOW, updated_at=NOW)
DESCRIBED = Described(
    name="street",
    link="https://yard.example/tasks/1",
    issue_tracker="",
    format="COCO 1.0",
    revision=7,
    counts=Counts(created=1, updated=2, deleted=3),
)


def test_a_push_is_due_once_all_is_quiet_and_a_period_is_over() -> None:
    assert due_at(REPOSITORY, NOW) is None
    automatic = replace(REPOSITORY, quiet_s=60.0, period_s=600.0)
    assert due_at(automatic, NOW) == NOW + timedelta(seconds=60)
    tried = replace(automatic, attempted_at=NOW - timedelta(seconds=100))
    assert due_at(tried, NOW) == NOW + timedelta(seconds=500)
    long_ago = replace(automatic, attempted_at=NOW - timedelta(days=1))
    assert due_at(long_ago, NOW) == NOW + timedelta(seconds=60)


def test_a_commit_says_what_and_how_much() -> None:
    assert commits.message(DESCRIBED) == (
        "Update annotations of street\n\n"
        "Task: https://yard.example/tasks/1\n"
        "Objects-added: 1\nObjects-changed: 2\nObjects-removed: 3\n"
        "Format: COCO 1.0\nRevision: 7\n"
    )


def test_a_commit_does_not_say_what_was_not_counted() -> None:
    assert commits.message(replace(DESCRIBED, counts=None)) == (
        "Update annotations of street\n\nTask: https://yard.example/tasks/1\nFormat: COCO 1.0\nRevision: 7\n"
    )


@given(st.text(), st.text())
def test_no_name_adds_a_line_to_a_commit(name: str, tracker: str) -> None:
    lines = commits.message(replace(DESCRIBED, name=name, issue_tracker=tracker)).splitlines()
    assert len(lines) in (8, 9)
    assert all(line.isprintable() for line in lines)
    assert len(lines[0]) <= 90


@given(st.text(), st.text())
def test_authors_fit_into_commits(username: str, name: str) -> None:
    for text in (commits.author_name(username, name), commits.email(username, "x.example")):
        assert text.strip() == text != ""
        assert not set(text) & set("<>\n\0")


@pytest.mark.parametrize("content", [b"", b"annotations", bytes(range(256)) * 5000])
def test_ids_are_those_of_git(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    ids = []
    for kind in ("sha1", "sha256"):
        folder = tmp_path / kind
        subprocess.run(["git", "init", "-q", f"--object-format={kind}", str(folder)], check=True)
        command = ["git", "-C", str(folder), "hash-object", "--no-filters", str(tmp_path / "file")]
        ids.append(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
    assert blob_ids(len(content), [content[:10], content[10:]]) == tuple(ids)


PEM, OPENSSH, PKCS8 = Encoding.PEM, PrivateFormat.OpenSSH, PrivateFormat.PKCS8


def written(key: Any, form: PrivateFormat = OPENSSH, lock: Any = None) -> str:
    text: bytes = key.private_bytes(PEM, form, lock or NoEncryption())
    return text.decode()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (written(ed25519.Ed25519PrivateKey.generate()), "ssh-ed25519"),
        (written(ed25519.Ed25519PrivateKey.generate(), PKCS8).replace("\n", "\r\n"), "ssh-ed25519"),
        (written(ec.generate_private_key(ec.SECP384R1())), "ecdsa-sha2-nistp384"),
        (written(rsa.generate_private_key(65537, 2048), PrivateFormat.TraditionalOpenSSL), "ssh-rsa"),
    ],
)
def test_keys_are_taken_as_ssh_takes_them(text: str, kind: str, tmp_path: Path) -> None:
    pair = keys.read(text, 7)
    assert pair.public.split()[0] == kind
    assert pair.public.endswith(" frameyard-task-7")
    assert "PRIVATE" not in repr(pair)
    assert keys.fingerprint(" ".join(pair.public.split()[:2]))[0] == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "x" * 20_000,
        written(ed25519.Ed25519PrivateKey.generate(), PKCS8, BestAvailableEncryption(b"x")),
        written(rsa.generate_private_key(65537, 1024)),
        written(ec.generate_private_key(ec.SECP256K1()), PKCS8),
        written(ed448.Ed448PrivateKey.generate(), PKCS8),
        written(dsa.generate_private_key(1024), PKCS8),
        written(ed25519.Ed25519PrivateKey.generate())[:100],
        base64.b64encode(b"-----BEGIN OPENSSH PRIVATE KEY-----").decode(),
    ],
)
def test_what_is_no_key_for_us_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="must") as caught:
        keys.read(text, 7)
    assert len(str(caught.value)) < 120


@given(st.text())
def test_any_text_is_a_host_key_or_none(line: str) -> None:
    with pytest.raises(ValueError, match="must"):
        keys.host_key(line, "git.example", 22)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"quiet_s": 1.0}, "QUIET_S"),
        ({"push_concurrency": 0}, "PUSH_CONCURRENCY"),
        ({"public_url": "yard.example"}, "PUBLIC_URL"),
        ({"author_email_domain": "a b"}, "AUTHOR_EMAIL_DOMAIN"),
    ],
)
def test_settings_that_cannot_work_are_named(values: dict[str, Any], named: str) -> None:
    usual: dict[str, Any] = dict.fromkeys(
        ("database_url", "nats_url", "s3_endpoint", "s3_access_key", "s3_secret_key", "s3_bucket"), "x"
    )
    required = {"task_address": "x", "export_address": "x", "key_encryption_key": "x"}
    made = Settings(**{**usual, **required, **values})
    with pytest.raises(SettingsError, match=named):
        check(made)
