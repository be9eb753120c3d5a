from __future__ import annotations

from ipaddress import ip_address

import pytest
from yard.runtime.egress import RemoteUrl, is_public, parse_networks
from yard.runtime.egress.addresses import is_open

PUBLIC = [
    "1.1.1.1",
    "93.184.216.34",
    "172.15.255.255",
    "172.32.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "223.255.255.255",
    "2606:4700::1111",
    "::ffff:1.1.1.1",
    "64:ff9b::101:101",
    "2002:101:101::1",
]
CLOSED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:0.0.0.0",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::101:101",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2001::1",
    "2001:db8::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
    "100::1",
    "5f00::1",
]


def test_public_addresses_are_told_from_others() -> None:
    assert [address for address in PUBLIC if not is_public(ip_address(address))] == []
    assert [address for address in CLOSED if is_public(ip_address(address))] == []


def test_operators_open_networks_and_nothing_besides() -> None:
    networks = parse_networks(["10.0.0.0/8", "fd00:1::/32"])
    for text in ("10.1.2.3", "::ffff:10.1.2.3", "fd00:1::5", "1.1.1.1"):
        assert is_open(ip_address(text), networks), text
    for text in ("192.168.0.1", "127.0.0.1", "169.254.169.254", "fd00:2::5"):
        assert not is_open(ip_address(text), networks), text


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/33", "everything", " "])
def test_networks_must_be_networks(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        parse_networks([text])


def test_urls_are_taken_apart_once() -> None:
    url = RemoteUrl.parse("HTTPS://Files.Example.org:8443/a%20b/ü.jpg?sig=1&x=é#part")
    assert (url.scheme, url.host, url.port) == ("https", "files.example.org", 8443)
    assert url.target == "/a%20b/%C3%BC.jpg?sig=1&x=%C3%A9"
    assert url.authority == "files.example.org:8443"
    assert url.shown == "https://files.example.org:8443/a%20b/%C3%BC.jpg"


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("http://example.org", "example.org"),
        ("http://example.org.", "example.org"),
        ("http://bücher.example/", "xn--bcher-kva.example"),
        ("http://faß.example/", "xn--fa-hia.example"),
        ("http://127.0.0.1/", "127.0.0.1"),
        ("http://\uff11\uff12\uff17.0.0.1/", "127.0.0.1"),
        ("http://[2001:DB8::0:1]/", "2001:db8::1"),
        ("http://[::ffff:127.0.0.1]/", "::ffff:7f00:1"),
    ],
)
def test_hosts_have_one_form(text: str, host: str) -> None:
    assert RemoteUrl.parse(text).host in (host, str(ip_address(host)) if ":" in host else host)


BAD = [
    "",
    "example.org/a.jpg",
    "ftp://example.org/a",
    "file:///etc/passwd",
    "gopher://example.org/",
    "http:///a.jpg",
    "http:/example.org",
    "http:example.org",
    "http://user:password@example.org/",
    "http://example.org@127.0.0.1/",
    "http://127.0.0.1\\@example.org/",
    "http://example.org /",
    " http://example.org/",
    "http://example.org/a\r\nHost: evil",
    "http://example.org/\x00",
    "http://example.org/\u2028",
    "http://exa%6dple.org/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://127.0.0.1.5/",
    "http://127.0.0.01/",
    "http://example.0x10/",
    "http://[::1/",
    "http://[fe80::1%25eth0]/",
    "http://[example.org]/",
    "http://a..b/",
    "http://-a.example/",
    f"http://{'a' * 64}.example/",
    "http://a/" + "a" * 2040,
    "http://example.org:/",
    "http://example.org:0/",
    "http://example.org:22/",
    "http://example.org:6667/",
    "http://example.org:65536/",
    "http://example.org:8o/",
    "http://example.org:\u0661\u0660\u0662\u0664/",
]


@pytest.mark.parametrize("text", BAD)
def test_all_else_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must ") as caught:
        RemoteUrl.parse(text)
    assert "password" not in str(caught.value).replace("a user name or a password", "")


def test_redirects_are_parsed_as_strictly() -> None:
    url = RemoteUrl.parse("https://example.org/a/b.jpg?x=1")
    assert url.joined("../c.jpg").target == "/c.jpg"
    assert url.joined("//other.example/d").host == "other.example"
    for location in ("http://example.org/", "file:///etc/passwd", "https://u@example.org/", "", "\tx"):
        with pytest.raises(ValueError, match="must"):
            url.joined(location)
