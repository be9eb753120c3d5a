from __future__ import annotations

import pytest
from yard.media_ingest.domain.remote import distinct, is_page, label_of, parse_urls, validator_of
from yard.runtime import errors
from yard.runtime.egress import RemoteUrl

URL = RemoteUrl.parse("https://example.org/films/a%20b.mp4?name=c.mp4")


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("", "a b.mp4"),
        ("attachment", "a b.mp4"),
        ('attachment; filename="photo 1.jpg"', "photo 1.jpg"),
        ("inline; filename=photo.jpg", "photo.jpg"),
        ("attachment; FileName = photo.jpg ; size=3", "photo.jpg"),
        ('attachment; filename="a\\"b.jpg"', 'a"b.jpg'),
        ("attachment; filename=\"x.jpg\"; filename*=UTF-8''%e2%82%ac%20rates.jpg", "€ rates.jpg"),
        ("attachment; filename*=iso-8859-1'en'%A3.jpg", "£.jpg"),
        ("attachment; filename*=UTF-8''%ff%fe.jpg; filename=good.jpg", "good.jpg"),
        ("attachment; filename*=utf-7''x.jpg", "a b.mp4"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\Users\\\\ann\\\\cat.jpg"', "cat.jpg"),
        ("attachment; filename*=UTF-8''..%2F..%2Fcron.d", "cron.d"),
        ('attachment; filename=".."', "a b.mp4"),
        ('attachment; filename=""', "a b.mp4"),
        ('attachment; filename="a\tb\x7f\u202egpj.exe"', "abgpj.exe"),
        (f'attachment; filename="{"x" * 5000}.jpg"', "x" * 255),
        (f'attachment; filename="{"x" * 1000}.jpg"', "x" * 251 + ".jpg"),
    ],
)
def test_a_name_is_a_label_without_a_way(header: str, name: str) -> None:
    assert label_of(header, URL) == name


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://example.org", "example.org"),
        ("http://example.org/%2e%2e/", "example.org"),
        ("http://example.org/a/b/", "b"),
        ("http://example.org/a%2Fb.jpg", "b.jpg"),
        ("http://example.org/%00.jpg", ".jpg"),
        ("http://example.org/ü.jpg", "ü.jpg"),
    ],
)
def test_without_a_header_the_path_names_the_file(url: str, name: str) -> None:
    assert label_of("", RemoteUrl.parse(url)) == name


def test_equal_names_are_numbered_in_order() -> None:
    names = ["a.jpg", "b", "a.jpg", "a (2).jpg", "a.jpg", "b", "c.tar.gz", "c.tar.gz", ".jpg", ".jpg"]
    found = distinct(names)
    assert found == [
        "a.jpg",
        "b",
        "a (3).jpg",
        "a (2).jpg",
        "a (4).jpg",
        "b (2)",
        "c.tar.gz",
        "c.tar (2).gz",
        ".jpg",
        ".jpg (2)",
    ]
    assert len(set(distinct(["x.jpg"] * 10_000))) == 10_000


def test_pages_are_told_from_files() -> None:
    assert is_page("text/html; charset=utf-8", b"anything")
    assert is_page("", b"\xef\xbb\xbf \n<!DOCTYPE html><html>")
    assert is_page("application/octet-stream", b"<HTML lang=en>")
    assert not is_page("text/plain", b"a list")


def test_only_what_is_strong_can_validate() -> None:
    assert validator_of('"1"', "yesterday") == '"1"'
    assert validator_of("", "yesterday") == "yesterday"
    assert validator_of('W/"1"', "yesterday") == ""
    assert validator_of("", "") == ""


def test_all_urls_that_are_wrong_are_named_without_quoting_them() -> None:
    urls = ["http://a.example/1", "http://u:pw@a.example/", "ftp://x", "http://a.example/1#x", "http://10.1/"]
    with pytest.raises(errors.InvalidArgument) as caught:
        parse_urls("urls", urls)
    assert [violation.field for violation in caught.value.violations] == [
        "urls[1]",
        "urls[2]",
        "urls[3]",
        "urls[4]",
    ]
    assert "pw" not in caught.value.message
    assert "is given twice" in caught.value.message


@pytest.mark.parametrize("count", [0, 10_001])
def test_urls_are_counted(count: int) -> None:
    with pytest.raises(errors.InvalidArgument, match="must be 1 to 10000 URLs"):
        parse_urls("urls", [f"http://a.example/{number}" for number in range(count)])
