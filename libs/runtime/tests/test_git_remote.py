from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.runtime.egress import GitRemote, RepositoryField
from yard.runtime.egress.git_remote import default_path, normalised_path

ANYTHING = st.text(st.sampled_from("ab.-/:@[]%0~ \\\n?#") | st.characters(codec="utf-8"), max_size=40)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("https://github.com/o/r.git", None),
        ("https://github.com/o/r", None),
        ("github.com/o/r.git", "https://github.com/o/r.git"),
        ("GitHub.com/o/r/", "https://github.com/o/r"),
        ("localhost/o/r", "https://localhost/o/r"),
        ("https://git.example.org/one", None),
        ("https://git.example.org:8443/a/b/c/d.git", None),
        ("https://h:443/o/r", "https://h/o/r"),
        ("1.2.3.4:8443/o/r", "https://1.2.3.4:8443/o/r"),
        ("https://[2001:DB8::1]:8443/o/r", "https://[2001:db8::1]:8443/o/r"),
        ("[::1]:8443/o/r", "https://[::1]:8443/o/r"),
        ("https://dev.azure.com/o/My%20P/_git/r", None),
        ("https://h/é/r", "https://h/%C3%A9/r"),
        ("git@github.com:o/r.git", None),
        ("git@github.com:o/r", None),
        ("me_1@1.2.3.4:a/b/c.git", None),
        ("git@[::1]:o/r", None),
        ("git@h:~me/r", None),
        ("git@h:/srv/git/r.git", "ssh://git@h/srv/git/r.git"),
        ("ssh://git@h/o/r.git", None),
        ("ssh://h/o/r.git", "ssh://git@h/o/r.git"),
        ("ssh://git@h:22/o/r", "ssh://git@h/o/r"),
        ("ssh://git@h:2222/o/r", None),
        ("ssh://git@h:443/o/r", None),
        ("ssh://git@[::1]:2222/o/r", None),
        ("SSH://git@h/o/r", "ssh://git@h/o/r"),
    ],
)
def test_addresses_have_one_form(text: str, form: str | None) -> None:
    parsed = GitRemote.parse(text)
    assert parsed.text == (form or text)
    assert GitRemote.parse(parsed.text) == parsed


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "nowhere",
            "a/b",
            "h/o",
            "o/r.git",
            "/srv/git/r.git",
            "./r",
            "../r",
            "~/r",
            "C:\\r",
            "host:o/r",
        ),
        *("http://h/o/r", "git://h/o/r", "file:///etc", "ftp://h/o/r", "git+ssh://h/o/r", "ssh+git://h/o/r"),
        *("ext::sh -c id", "ext::sh", "file::/etc", "fd::1", "https::https://h/o/r", "https:/h/o/r"),
        *(
            "https://ann@h/o/r",
            "https://ann:pw@h/o/r",
            "ssh://git:pw@h/o/r",
            "ann:pw@h:o/r",
            "https://@h/o/r",
        ),
        *(
            "ssh://-oProxyCommand=id/r",
            "ssh://-x@h/o/r",
            "-x@h:o/r",
            "git@-h:o/r",
            "git@h:-o/r",
            "git@h:o/-r",
        ),
        *("https://-h/o/r", "https://h/-o/r", "https://h/%2do/r", "--upload-pack=id", "-h/o/r"),
        *("https://h/o/../r", "https://h/o/%2e%2e/r", "https://h/./r", "git@h:../r", "ssh://h/../r"),
        *(
            "https://h/o/r?x=1",
            "https://h/o/r#x",
            "git@h:o/r?x",
            "https://h/o r",
            "https://h/o\nr",
            "https://h/o\tr",
        ),
        *(
            "https://h/o/%0ar",
            "https://h/o/%00",
            "https://h/%2fetc",
            "https://h/o/%zz",
            "https://h/o/%",
            "git@h:%2e",
        ),
        *(
            "https://h/o/$(id)",
            "https://h/o/`id`",
            "git@h:o/'r",
            'git@h:o/"r',
            "git@h:o/r;id",
            "git@h:o/r|id",
        ),
        *("https://h//r", "https://h/", "https://h", "git@h:", "ssh://h/", "ssh://git@h:o/r", "https:///o/r"),
        *(
            "https://h:22/o/r",
            "https://h:0/o/r",
            "https://h:99999/o/r",
            "https://h:6667/o/r",
            "ssh://h:25/o/r",
        ),
        *(
            "https://h:80/o/r",
            "https://127.1/o/r",
            "https://0x7f000001/o/r",
            "https://[::1/o/r",
            "https://h_/ o",
        ),
        *("https://h\u200b/o/r", "https://h/o/\u202er", "https://h/" + "a" * 2_100, "g@i@h:o/r"),
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must") as refused:
        GitRemote.parse(text)
    assert "pw" not in str(refused.value)


@given(ANYTHING)
def test_no_text_gets_past_the_grammar(text: str) -> None:
    try:
        parsed = GitRemote.parse(text)
    except ValueError:
        return
    assert GitRemote.parse(parsed.text) == parsed
    assert re.fullmatch(r"https://[^-@\s][^@\s]*|ssh://\w[\w.-]*@[^-\s]\S*|\w[\w.-]*@[^-\s]\S*", parsed.text)
    assert parsed.text.isascii()
    assert parsed.text.isprintable()
    assert not {"..", "."} & set(parsed.path.split("/"))


@pytest.mark.parametrize(
    ("text", "url", "path"),
    [
        ("https://h/o/r.git [1/2/3/4/annotation.xml]", "https://h/o/r.git", "1/2/3/4/annotation.xml"),
        (" git@h:o/r   [/a//./b/../x.zip] ", "git@h:o/r", "a/x.zip"),
        ("https://[::1]/o/r [[x] y.zip]", "https://[::1]/o/r", "[x] y.zip"),
        ("h.org/o/r", "https://h.org/o/r", None),
    ],
)
def test_fields(text: str, url: str, path: str | None) -> None:
    parsed = RepositoryField.parse(text)
    assert (parsed.remote.text, parsed.path) == (url, path)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "https://h/o/r x.zip", "https://h/o/r [x.zip", "https://h/o/r [x.zip] y", "[x.zip]"),
        *("https://h/o/r []", "https://h/o/r [a/]", "https://h/o/r [x.zip]" + " " * 2_000),
    ],
)
def test_what_is_no_field_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        RepositoryField.parse(text)


@pytest.mark.parametrize(
    "path",
    [
        *("x.json", "x", "zip", ".zip", "a/.xml", "../x.zip", "a/../../x.zip", "/..", "x.ZIP"),
        *(
            ".git/x.zip",
            "a/.GIT/x.zip",
            ".git /x.zip",
            ".git./x.zip",
            "git~1/x.zip",
            ".git:y/x.zip",
            ".g\u0131t/../.Git/x.zip",
        ),
        *(
            ".gitmodules/x.zip",
            ".gitattributes/x.zip",
            "a\\b.zip",
            "a\nb.zip",
            "a\0b.zip",
            "\u202ex.zip",
            ".g\u200cit/x.zip",
        ),
        *(
            "a" * 252 + ".zip",
            "ä" * 126 + ".zip",
            "/".join("a" * 40) + ".zip",
            "/".join(["a" * 250] * 5) + ".zip",
        ),
    ],
)
def test_paths_that_cannot_be(path: str) -> None:
    with pytest.raises(ValueError, match="must have a path"):
        normalised_path(path)


@given(ANYTHING)
def test_a_path_that_is_taken_stays_inside_and_as_it_is(text: str) -> None:
    try:
        path = normalised_path(text + ".zip")
    except ValueError:
        return
    assert normalised_path(path) == path
    assert not {"", ".", "..", ".git"} & {part.casefold() for part in path.split("/")}


@given(st.text(max_size=300))
def test_the_default_path_is_always_one(name: str) -> None:
    path = default_path(name)
    assert path.startswith("annotation/")
    assert normalised_path(path) == path


def test_the_default_path_is_named_after_the_task() -> None:
    assert default_path('My task: "a/b"?') == "annotation/My_task___a_b__.zip"
    assert default_path("x" * 200) == f"annotation/{'x' * 100}.zip"
    assert default_path("日" * 200) == f"annotation/{'日' * 80}.zip"
    assert default_path("") == "annotation/_.zip"
