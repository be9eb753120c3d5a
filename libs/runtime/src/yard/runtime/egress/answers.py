"""What a server has answered, and the faults of the way to it."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpcore
from yard.runtime import clock
from yard.runtime.egress.faults import Cut, Refused
from yard.runtime.egress.pace import Pace, Patience
from yard.runtime.egress.urls import RemoteUrl

LONGEST_RETRY_AFTER_S = 120.0

_AGAIN = frozenset({408, 425, 429})


class Answer:
    """An answer with a body: status 200 or 206, or 416; header names are lower-case."""

    def __init__(self, response: httpcore.Response, url: RemoteUrl, patience: Patience) -> None:
        self._response = response
        self._patience = patience
        self.url = url
        self.status = response.status
        self.headers = headers_of(response)

    @property
    def length(self) -> int | None:
        """Bytes of the body, if the server has said."""
        if "transfer-encoding" in self.headers:
            return None
        text = self.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() else None

    async def body(self) -> AsyncGenerator[bytes]:
        """The bytes as they come, at most 64 KiB at a time; Cut if they stop, crawl or end too early."""
        pace = Pace(self._patience)
        async with aclosing(self._blocks()) as blocks:
            while True:
                pace.begin()
                with mapped():
                    async with asyncio.timeout(self._patience.window_s):
                        block = await anext(blocks, None)
                if block is None:
                    return
                pace.note(len(block))
                yield block

    async def _blocks(self) -> AsyncGenerator[bytes]:
        async for block in self._response.aiter_stream():
            yield block


def headers_of(response: httpcore.Response) -> Mapping[str, str]:
    """By lower-case name; of a repeated header the first one counts."""
    found: dict[str, str] = {}
    for name, value in response.headers:
        found.setdefault(name.decode("ascii").lower(), _text(value))
    return found


def check_status(status: int, headers: Mapping[str, str]) -> None:
    """Lets answers with a body through; Cut or Refused name the status of others."""
    if status in (200, 203, 206, 416):
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise Refused(f"answers in the encoding {encoding[:20]!r}, which was not asked for")
        return
    if status >= 500 or status in _AGAIN:
        raise Cut(f"answers {_named(status)}", retry_after_s(headers))
    raise Refused(f"answers {_named(status)}", reason="EGRESS_STATUS", metadata={"status": str(status)})


@contextmanager
def mapped() -> Iterator[None]:
    """Turns what the HTTP client raises into Cut and Refused."""
    try:
        yield
    except (TimeoutError, httpcore.TimeoutException) as fault:
        raise Cut("does not answer in time") from fault
    except httpcore.ConnectError as fault:
        if _has_cause(fault, ssl.SSLCertVerificationError):
            raise Refused("has a certificate that cannot be trusted", reason="EGRESS_CERTIFICATE") from fault
        raise Cut("cannot be connected to") from fault
    except httpcore.RemoteProtocolError as fault:
        raise Cut("ends its answer too early, or does not speak HTTP") from fault
    except (httpcore.NetworkError, httpcore.ProtocolError) as fault:
        raise Cut("breaks the connection") from fault


def _has_cause(fault: BaseException | None, kind: type[BaseException]) -> bool:
    while fault is not None:
        if isinstance(fault, kind):
            return True
        fault = fault.__cause__ or fault.__context__
    return False


def _text(value: bytes) -> str:
    """Header values are Latin-1 by the book and UTF-8 in the wild."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds or a date, never longer than we are willing to wait; None if the server has not said."""
    text = headers.get("retry-after", "")
    if text.isascii() and text.isdigit() and len(text) < 10:
        return min(float(text), LONGEST_RETRY_AFTER_S)
    try:
        seconds = (parsedate_to_datetime(text) - clock.now()).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)
