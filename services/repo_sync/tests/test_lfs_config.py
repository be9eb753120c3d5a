import subprocess
from pathlib import Path

import pytest
from yard.repo_sync.lfs import check_config
from yard.runtime import errors
from yard.runtime.egress import GitRemote

ELSEWHERE = [
    b"[lfs]\n\turl = https://other.test/a\n",
    b'[lfs]\nurl="https://other.test/a"',
    b"[LFS] URL = https://other.test/a\n",
    b'[remote "origin"]\n  lfsurl = https://other.test/a\n',
    b'[remote "o\\"]x"]\n  lfsUrl = https://other.test/a\n',
    b"[lfs]\r\n\turl = git@other.test:a/b\r\n",
    b"[lfs]\n\turl = https://git.test@other.test/a\n",
    b"[lfs]\n\turl = file:///tmp/a\n",
    b"[lfs]\n\turl = https://[\n",
    b"[lfs]\n\turl =\n",
    b"[lfs]\n\turl = https://git.test/other/b.git/info/lfs\n",
    b"[lfs]\n\turl = https://git.test:8443/a/b.git/info/lfs\n",
    b"[lfs]\n\turl = git@git.test:a/c\n",
]
REMOTE = GitRemote.parse("https://git.test/a/b")


@pytest.mark.parametrize("content", ELSEWHERE)
def test_what_leads_elsewhere_is_refused(content: bytes) -> None:
    with pytest.raises(
        errors.FailedPrecondition, match=r"\.lfsconfig of the repository sends LFS"
    ) as refused:
        check_config(content, REMOTE)
    assert refused.value.reason == "LFS_ELSEWHERE"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff[lfs",
        b"[lfs]\n\tfetchexclude = *.zip\n\turlx = https://other.test\n",
        b"[http]\n\turl = https://other.test\n",
        b"[lfs]\n\turl = https://GIT.test/a/b.git/info/lfs\n",
        b"[lfs]\n\turl = git@git.test:a/b\n",
        b"[lfs]\n\turl = https://git.test:443/a/b/info/lfs/\n",
        b"# [lfs]\n; url = https://other.test\n",
    ],
)
def test_what_stays_is_let_through(content: bytes) -> None:
    check_config(content, REMOTE)


def test_a_server_on_the_usual_port_is_another_one() -> None:
    with pytest.raises(errors.FailedPrecondition):
        check_config(b"[lfs]\n\turl = https://git.test/a/b", GitRemote.parse("https://git.test:8443/a/b"))


def test_a_huge_one_is_refused() -> None:
    with pytest.raises(errors.FailedPrecondition, match="65536 bytes"):
        check_config(bytes(1 << 17), REMOTE)


@pytest.mark.parametrize("content", ELSEWHERE[:5])
def test_git_lfs_reads_them_so_too(content: bytes, tmp_path: Path) -> None:
    def git(*words: str) -> str:
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(["git", *words], cwd=tmp_path, env=environment, capture_output=True, check=True)
        return done.stdout.decode()

    git("init", "-q")
    for name in ("origin", 'o"]x'):
        git("config", f"remote.{name}.url", "https://git.test/a")
    (tmp_path / ".lfsconfig").write_bytes(content)
    assert "other.test" in git("lfs", "env")
