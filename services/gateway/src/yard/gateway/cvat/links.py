"""References to lists, as objects carry them."""

from pydantic import BaseModel


class Link(BaseModel):
    """Where a list is."""

    url: str


class CountedLink(Link):
    """The same, with its length."""

    count: int


class JobsLink(CountedLink):
    """Jobs of a task, with those that are done and those in review."""

    completed: int
    validation: int


class Storage(BaseModel):
    """Where files of exports and imports are kept; there is one place only."""

    id: int
    location: str
    cloud_storage_id: int | None = None
