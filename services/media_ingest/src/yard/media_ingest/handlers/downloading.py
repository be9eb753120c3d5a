"""One URL: asked for again after cuts, from where it was cut if the file is still the same."""

import asyncio
import random
import re
from contextlib import aclosing

from yard.media_ingest.domain.remote import Address, label_of, validator_of
from yard.media_ingest.handlers.batches import Indexing
from yard.media_ingest.handlers.fetched import Fetched
from yard.runtime.egress import Answer, Cut, Refused

LONGEST_DELAY_S = 30.0
PROGRESS_BYTES = 64 * 1024
"""A try that brings more than this was not in vain."""

_SPAN = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")


class Download:
    """Brings one file to its end; Refused says why it cannot be had."""

    def __init__(self, indexing: Indexing, address: Address, fetched: Fetched) -> None:
        self._settings = indexing.ingest.settings
        self._egress = indexing.ingest.egress
        self._url = address.url
        self._fetched = fetched
        self._restarts = 0

    async def run(self) -> None:
        """Returns when the file is complete, or about to be with its pack."""
        limit_s = self._settings.remote_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                await self._try_again_and_again()
        except TimeoutError:
            raise Refused(f"is not fetched within {limit_s:g} s") from None

    async def _try_again_and_again(self) -> None:
        vain = 0
        while True:
            before = self._fetched.received
            try:
                return await self._read()
            except Cut as cut:
                vain = 0 if self._fetched.received > before + PROGRESS_BYTES else vain + 1
                if vain >= self._settings.remote_tries:
                    raise Refused(f"{cut.message}, {vain} times in a row") from cut
                await asyncio.sleep(self._delay_s(vain, cut.retry_after_s))

    async def _read(self) -> None:
        fetched = self._fetched
        if not fetched.is_whole:
            headers = self._range()
            async with self._egress.open(self._url, headers) as answer:
                await self._agree(answer, is_asked="Range" in headers)
                async with aclosing(answer.body()) as blocks:
                    async for block in blocks:
                        await fetched.take(block)
            if fetched.total not in (None, fetched.received):
                raise Cut("ends its answer too early")
        await fetched.finish()

    def _range(self) -> dict[str, str]:
        fetched = self._fetched
        if not fetched.received or not fetched.validator:
            return {}
        return {"Range": f"bytes={fetched.received}-", "If-Range": fetched.validator}

    async def _agree(self, answer: Answer, *, is_asked: bool) -> None:
        """The answer goes on where we are, or begins at the beginning."""
        if answer.status == 416 or (answer.status == 206 and not (is_asked and self._continues(answer))):
            await self._start_again()
            raise Cut("answers with another part than was asked for")
        if answer.status == 206:
            return
        if self._fetched.received:
            await self._start_again()
        headers = answer.headers
        total, largest = answer.length, self._settings.remote_max_bytes
        if total is not None and total > largest:
            raise Refused(f"is of {total} bytes, longer than {largest}")
        self._fetched.begin(
            name=label_of(headers.get("content-disposition", ""), answer.url),
            total=total,
            validator=_validator(answer),
            content_type=headers.get("content-type", ""),
        )

    def _continues(self, answer: Answer) -> bool:
        span = _SPAN.fullmatch(answer.headers.get("content-range", "").strip())
        if span is None or int(span[1]) != self._fetched.received:
            return False
        total = self._fetched.total
        is_same = _validator(answer) in ("", self._fetched.validator)
        return is_same and (span[3] == "*" or total is None or int(span[3]) == total)

    async def _start_again(self) -> None:
        self._restarts += 1
        if self._restarts >= self._settings.remote_tries:
            raise Refused(f"changes while it is read, or cannot go on after a cut, {self._restarts} times")
        await self._fetched.start_again()

    def _delay_s(self, vain: int, retry_after_s: float | None) -> float:
        """Exponential, with jitter in its upper half; never sooner than the server has asked for."""
        longest = min(LONGEST_DELAY_S, self._settings.remote_retry_delay_s * 2 ** max(0, vain - 1))
        delay_s = random.uniform(longest / 2, longest)  # noqa: S311 - spreads load, guards nothing
        return max(delay_s, retry_after_s or 0.0)


def _validator(answer: Answer) -> str:
    return validator_of(answer.headers.get("etag", ""), answer.headers.get("last-modified", ""))
