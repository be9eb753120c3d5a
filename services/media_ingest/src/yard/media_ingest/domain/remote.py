"""Files at remote addresses: which URLs may be given, and what the files behind them are called."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, unquote_to_bytes

from yard.media_ingest.domain.uploads import LONGEST_NAME, fault_of_name
from yard.runtime.egress import RemoteUrl
from yard.runtime.errors import InvalidArgument, Violation, refuse

MOST_URLS = 10_000
_MOST_VIOLATIONS = 100
_LONGEST_LABEL = 255
_LONGEST_VALIDATOR = 1024

# RFC 6266 and RFC 8187: filename="..." or filename=token, and filename*=charset'language'percent-encoded.
_PARAMETER = re.compile(r""";\s*(filename\*?)\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]+)""", re.IGNORECASE)
_EXTENDED = re.compile(r"(utf-8|iso-8859-1)'[^']*'(.+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A URL that was given; `digest` is what its download is known by."""

    url: RemoteUrl
    digest: bytes


def parse_urls(field: str, texts: Sequence[str]) -> tuple[Address, ...]:
    """Different URLs, 1 to 10,000; InvalidArgument with the first 100 violations, which quote none."""
    if not 1 <= len(texts) <= MOST_URLS:
        violation = Violation(field, f"must be 1 to {MOST_URLS} URLs, got {len(texts)}")
        raise InvalidArgument(violations=[violation])
    violations: list[Violation] = []
    found: dict[bytes, Address] = {}
    for number, text in enumerate(texts):
        try:
            address = _address(text)
        except ValueError as fault:
            violations.append(Violation(f"{field}[{number}]", str(fault)))
            continue
        if address.digest in found:
            violations.append(Violation(f"{field}[{number}]", "is given twice"))
        found[address.digest] = address
    refuse(violations[:_MOST_VIOLATIONS])
    return tuple(found.values())


def faults_of_urls(field: str, texts: Sequence[str]) -> Sequence[Violation]:
    """What `parse_urls` would raise."""
    try:
        parse_urls(field, texts)
    except InvalidArgument as fault:
        return fault.violations
    return ()


def label_of(disposition: str, url: RemoteUrl) -> str:
    """The file's name: from the header Content-Disposition, else from the path; a label only."""
    for name in (*_disposed(disposition), unquote(url.path), url.host):
        label = _tidied(name)
        if label and fault_of_name(label) is None:
            return label
    return "file"


def distinct(names: Iterable[str]) -> list[str]:
    """The names in order; what repeats an earlier one gets a number before its ending: `a (2).jpg`."""
    given = list(names)
    taken = set(given)
    seen: set[str] = set()
    counts: dict[str, int] = {}
    found = []
    for name in given:
        chosen = name
        while chosen in seen or (chosen != name and chosen in taken):
            counts[name] = counts.get(name, 1) + 1
            chosen = _numbered(name, counts[name])
        seen.add(chosen)
        found.append(chosen)
    return found


def is_page(content_type: str, head: bytes) -> bool:
    """Whether this is a page for people, as servers give it instead of an error."""
    begin = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    is_marked = content_type.partition(";")[0].strip().lower() in ("text/html", "application/xhtml+xml")
    return is_marked or begin.startswith((b"<!doctype html", b"<html"))


def validator_of(etag: str, last_modified: str) -> str:
    """What If-Range may name: a strong ETag, else a date; empty if the download cannot go on after a cut."""
    if not f"{etag}{last_modified}".isascii() or len(etag) + len(last_modified) > _LONGEST_VALIDATOR:
        return ""
    if etag.startswith('"') and etag.endswith('"') and len(etag) > 1:
        return etag
    return "" if etag else last_modified


def _address(text: str) -> Address:
    url = RemoteUrl.parse(text)
    return Address(url=url, digest=hashlib.sha256(url.text.encode()).digest())


def _disposed(disposition: str) -> list[str]:
    """The names that the header gives, the extended one first."""
    names: dict[str, str] = {}
    for key, value in _PARAMETER.findall(f";{disposition[:4096]}"):
        names.setdefault(key.lower(), value)
    return [*_extended(names.get("filename*", "")), _unquoted(names.get("filename", ""))]


def _extended(value: str) -> list[str]:
    found = _EXTENDED.fullmatch(value.strip('"'))
    if found is None:
        return []
    try:
        return [unquote_to_bytes(found[2]).decode(found[1])]
    except UnicodeDecodeError:
        return []


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def _tidied(name: str) -> str:
    """The last part of what may be a path, without what cannot be seen and what turns text around."""
    last = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    seen = "".join(character for character in last if character.isprintable()).strip()
    return _shortened(seen, _LONGEST_LABEL)


def _shortened(name: str, longest: int) -> str:
    """Keeps the ending."""
    stem, ending = _split(name)
    return name if len(name) <= longest else f"{stem[: longest - len(ending)]}{ending}"


def _numbered(name: str, number: int) -> str:
    suffix = f" ({number})"
    stem, ending = _split(_shortened(name, LONGEST_NAME - len(suffix)))
    return f"{stem}{suffix}{ending}"


def _split(name: str) -> tuple[str, str]:
    stem, dot, ending = name.rpartition(".")
    return (stem, f".{ending}") if stem and dot and len(ending) <= 16 else (name, "")
