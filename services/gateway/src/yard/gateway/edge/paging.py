"""Numbered pages, as CVAT's clients ask for them, over lists that are told how many to leave out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Generic, TypeVar

from fastapi import Depends, Query, Request
from pydantic import BaseModel, Field
from yard.gateway.edge.callers import base_url
from yard.runtime import errors

T = TypeVar("T")

DEFAULT_SIZE: Final = 10
MOST: Final = 1000


class Page(BaseModel, Generic[T]):
    """One page; `count` is that of the whole list."""

    count: int
    next: str | None
    previous: str | None
    results: list[T]


@dataclass(frozen=True, slots=True)
class Paging:
    """The page that is asked for; `size` is 1 to 1000."""

    request: Request
    number: int
    size: int

    @property
    def skip(self) -> int:
        """Entries before the page."""
        return (self.number - 1) * self.size

    def page(self, results: Sequence[T], total: int) -> Page[T]:
        """The answer; NotFound for a page behind the last one."""
        if self.number > 1 and not results:
            raise errors.NotFound("page", str(self.number), message="there is no such page")
        # Not by what the page has: the list may have grown between its reading and its counting.
        has_next = self.number * self.size < total
        return Page(
            count=total,
            next=self._link(self.number + 1) if has_next else None,
            previous=self._link(self.number - 1) if self.number > 1 else None,
            results=list(results),
        )

    def _link(self, number: int) -> str:
        url = self.request.url.include_query_params(page=number)
        return f"{base_url(self.request)}{url.path}?{url.query}"


async def paging_of(
    request: Request,
    page: Annotated[int, Query(ge=1, le=10_000_000, description="Number of the page, from 1.")] = 1,
    page_size: Annotated[int, Query(ge=0, description="Entries a page, at most 1000; default 10.")] = 0,
) -> Paging:
    """The page that the query asks for."""
    return Paging(request, page, min(page_size or DEFAULT_SIZE, MOST))


Paged = Annotated[Paging, Depends(paging_of)]


class Problem(BaseModel):
    """An error; bad fields come as `{"<field>": ["what is wrong", ...]}` instead."""

    detail: str = Field(description="What is wrong, in words for people.")
    code: str = Field("", description="What is wrong, for programs.")
