"""Attributes of files against the git of the system."""

import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from yard.repo_sync.lfs.attribute_lines import lines_of, values_of
from yard.repo_sync.lfs.attributes import LARGEST_ATTRIBUTES, Above, with_attributes
from yard.repo_sync.lfs.wildmatch import matches
from yard.runtime import errors

LINE = b"/a.zip filter=lfs diff=lfs merge=lfs -text\n"
WORDS = {b"unspecified": None, b"unset": False, b"set": True}
REAL = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)


class Git:
    """A scratch repository that nothing of the machine's settings reaches."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run("init", "-q")

    def run(self, *words: str | bytes, given: bytes = b"") -> bytes:
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", *words], cwd=self.folder, env=environment, input=given, capture_output=True, check=True
        )
        return done.stdout

    def values(self, attributes: bytes, path: bytes, under: str = "") -> dict[bytes, object]:
        """Of filter and text, as git sees them."""
        (self.folder / under).mkdir(exist_ok=True)
        (self.folder / under / ".gitattributes").write_bytes(attributes)
        given = (f"{under}/".encode() if under else b"") + path + b"\0"
        parts = self.run("check-attr", "-z", "--stdin", "filter", "text", given=given).split(b"\0")
        return {parts[place + 1]: WORDS.get(parts[place + 2], parts[place + 2]) for place in (0, 3)}


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Git:
    return Git(tmp_path_factory.mktemp("git"))


def ours(attributes: bytes, path: bytes) -> dict[bytes, object]:
    lines = list(lines_of(attributes))
    found = values_of(lines, [one for one in lines if not one.is_macro and matches(one.pattern, path)])
    return {name: found.get(name) for name in (b"filter", b"text")}


TOKENS = [
    "a",
    "b",
    "*",
    "**",
    "?",
    "/",
    "\\",
    "[",
    "]",
    "!",
    "-",
    "^",
    "[ab]",
    "[!a]",
    "[a-c]",
    "[[:alpha:]]",
]
PATTERN = st.lists(
    st.sampled_from([*TOKENS, "[[:space:]]", "[:", ".", "**/", "/**", " ", "é", '"', "#"]), max_size=7
)
PATH = st.from_regex(r"[abc.é -]{1,4}(/[abc.é -]{1,4}){0,3}", fullmatch=True).filter(
    lambda path: not any(part.strip(".") == "" for part in path.split("/"))
)


@REAL
@given(patterns=st.lists(PATTERN, min_size=1, max_size=5), path=PATH)
@example(patterns=[["a", "**", "/", "b"]], path="ab")
@example(patterns=[["**/", "**/", "*", "b"]], path="b")
@example(patterns=[["**/", "b"], ["a", "/", "**/", "[!a]"]], path="ab")
@example(patterns=[["a", "/", "**/", "b"], ["a", "/", "**/", "**/", "*", "/", "**"]], path="a/ab")
def test_patterns_match_as_gits_do(git: Git, patterns: list[list[str]], path: str) -> None:
    texts = ["".join(tokens).strip() for tokens in patterns]
    lines = "".join(f"{text} filter=v{place}\n" for place, text in enumerate(texts)).encode()
    assert ours(lines, path.encode()) == git.values(lines, path.encode())


WORDS_OF_LINES = "filter=lfs -filter !filter filter filter= text -text !text text=auto -text=auto filter=x=y"
WRONG = "=x --text a/b - one two binary -binary"
WORD = st.sampled_from([*WORDS_OF_LINES.split(), *WRONG.split(), "\r"])
STARTS = """a * /a "a" "\\141" "\\x" "a !a #a [attr]one [attr]two [attr]- [attr] [attr]binary a/"""
START = st.sampled_from([*STARTS.split(), '"a\\000b"', '""', "\\a", "?", '"[attr]one x"', " a", "\ta"])
RAW_LINE = st.builds(
    lambda start, words, end: (start + " " + " ".join(words) + end).encode(),
    START,
    st.lists(WORD, max_size=4),
    st.sampled_from(["\n", "\r\n", "\n\n", "x\n", " " * 2100 + "\n"]),
)


@REAL
@given(lines=st.lists(RAW_LINE, max_size=6), bom=st.booleans())
def test_lines_say_what_git_reads(git: Git, lines: list[bytes], bom: bool) -> None:
    content = b"\xef\xbb\xbf" * bom + b"".join(lines)
    assert ours(content, b"a") == git.values(content, b"a")


NAME = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]) | st.sampled_from('*?[]\\"# !^'),
    min_size=1,
    max_size=40,
).filter(lambda name: name not in (".", "..", ".git", ".gitattributes"))


@REAL
@given(lines=st.lists(RAW_LINE, max_size=4), name=NAME, under=st.sampled_from(["", "inner"]))
def test_any_name_can_be_given_and_taken_back(git: Git, lines: list[bytes], name: str, under: str) -> None:
    path = name.encode()
    above = [Above(content=b"", path=f"inner/{name}")] if under else []
    if under:
        git.values(b"", b"a")
    on = with_attributes(b"".join(lines), name, tracked=True, above=above)
    assert git.values(on, path, under) == {b"filter": b"lfs", b"text": False}
    assert with_attributes(on, name, tracked=True, above=above) == on
    off = with_attributes(on, name, tracked=False, above=above)
    assert git.values(off, path, under)[b"filter"] != b"lfs"
    assert with_attributes(off, name, tracked=False, above=above) == off
    again = with_attributes(off, name, tracked=True, above=above)
    assert git.values(again, path, under) == {b"filter": b"lfs", b"text": False}
    assert len(again.splitlines()) <= len(on.splitlines())
    if name.isascii() and name.isalnum():
        other = git.values(b"" if not lines else b"".join(lines), path + b"x", under)
        assert git.values(on, path + b"x", under) == other


def test_one_exact_line_is_added_once() -> None:
    on = with_attributes(b"", "a.zip", tracked=True)
    assert on == LINE
    assert with_attributes(on, "a.zip", tracked=True) == on
    assert with_attributes(on, "a.zip", tracked=False) == b""
    assert with_attributes(b"* text=auto", "a.zip", tracked=True) == b"* text=auto\n" + LINE
    assert with_attributes(b"* text\r\n", "a.zip", tracked=True) == b"* text\r\n" + LINE[:-1] + b"\r\n"


@pytest.mark.parametrize(
    "content", [b"*.zip filter=lfs diff=lfs merge=lfs -text\n", b"[attr]large filter=lfs -text\n*.zip large"]
)
def test_what_says_it_already_is_left_alone(content: bytes) -> None:
    assert with_attributes(content, "a.zip", tracked=True) == content
    assert with_attributes(content, "a.txt", tracked=False) == content


def test_line_ends_of_pointers_are_guarded_too() -> None:
    assert with_attributes(b"*.xml filter=lfs\n", "a.xml", tracked=True).endswith(b"-text\n")


def test_lines_of_others_are_taken_back_and_never_removed() -> None:
    off = with_attributes(b"*.zip filter=lfs\n", "a.zip", tracked=False)
    assert off == b"*.zip filter=lfs\n/a.zip !filter !diff !merge !text\n"
    assert with_attributes(off, "a.zip", tracked=True).splitlines(keepends=True) == [
        b"*.zip filter=lfs\n",
        LINE,
    ]


def test_folders_above_count() -> None:
    root = Above(content=b"[attr]large filter=lfs -text\n", path="data/inner/a b.zip")
    middle = Above(content=b"inner/*.zip large\n", path="inner/a b.zip")
    assert with_attributes(b"", "a b.zip", tracked=True, above=[root, middle]) == b""
    off = with_attributes(b"", "a b.zip", tracked=False, above=[root, middle])
    assert off == b"/a[[:space:]]b.zip !filter !diff !merge !text\n"


def test_git_lfs_writes_names_with_spaces_alike(git: Git) -> None:
    git.run("lfs", "track", "--filename", "/a [1]*.zip")
    written = (git.folder / ".gitattributes").read_bytes().splitlines()[-1]
    assert with_attributes(b"", "a [1]*.zip", tracked=True).rstrip() == written


@pytest.mark.parametrize("content", [b"a\0b", b"#" * (LARGEST_ATTRIBUTES + 1)])
def test_what_git_could_not_read_is_refused(content: bytes) -> None:
    with pytest.raises(errors.FailedPrecondition) as refused:
        with_attributes(content, "a.zip", tracked=True)
    assert refused.value.reason == "LFS_ATTRIBUTES"
    assert with_attributes(content, "a.zip", tracked=False) == content


def test_no_file_takes_long() -> None:
    worst = [b"/" + b"**/*a" * 408, b"*a" * 1020, b"[[:alpha:]]" * 185, b"**/" * 680, b"?*" * 1020]
    content = b"".join(pattern + b" x\n" for pattern in worst) * (LARGEST_ATTRIBUTES // 10_300)
    began = time.process_time()
    with_attributes(content, "a" * 255, tracked=True)
    assert time.process_time() - began < 10
