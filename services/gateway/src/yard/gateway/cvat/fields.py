"""Fields of lists as clients name them, and what the services call them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["number", "text", "time", "truth", "word"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a service; `words` are the values of a field that has only these, by what clients say."""

    ours: str
    kind: Kind
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A field that has the same value everywhere here; None: it is never set."""

    value: str | None


Fields: TypeAlias = Mapping[str, Field | Constant]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a list is filtered and sorted by, and what `search` looks into."""

    fields: Fields
    searched: tuple[str, ...]


def _number(ours: str) -> Field:
    return Field(ours=ours, kind="number")


def _text(ours: str) -> Field:
    return Field(ours=ours, kind="text")


def _word(ours: str, words: Mapping[str, str]) -> Field:
    return Field(ours=ours, kind="word", words=words)


def _same(*words: str) -> dict[str, str]:
    return {word: word for word in words}


_ID: Final = _number("id")
_OWNER: Final = _text("owner")
_ASSIGNEE: Final = _text("assignee")
_CREATED: Final = Field(ours="create_time", kind="time")
_UPDATED: Final = Field(ours="update_time", kind="time")
_STATUS: Final = _word("status", _same("annotation", "validation", "completed"))
_MODE: Final = _word("mode", _same("annotation", "interpolation"))
_MEDIA_TYPE: Final = _word("mode", {"image": "annotation", "video": "interpolation"})
_FLAT: Final = Constant(value="2d")
_NEVER: Final = Constant(value=None)

TASKS: Final = Listing(
    fields={
        "id": _ID,
        "name": _text("name"),
        "owner": _OWNER,
        "assignee": _ASSIGNEE,
        "project_id": _number("project_id"),
        "project_name": _text("project_name"),
        "mode": _MODE,
        "media_type": _MEDIA_TYPE,
        "status": _STATUS,
        "subset": _text("subset"),
        "tracker_link": _text("issue_tracker"),
        "size": _number("size"),
        "dimension": _FLAT,
        "validation_mode": _NEVER,
        "created_date": _CREATED,
        "updated_date": _UPDATED,
    },
    searched=("project_name", "name", "owner", "status", "assignee", "subset", "mode", "tracker_link"),
)
PROJECTS: Final = Listing(
    fields={
        "id": _ID,
        "name": _text("name"),
        "owner": _OWNER,
        "assignee": _ASSIGNEE,
        "status": _STATUS,
        "tracker_link": _text("issue_tracker"),
        "created_date": _CREATED,
        "updated_date": _UPDATED,
    },
    searched=("name", "owner", "assignee", "status"),
)
JOBS: Final = Listing(
    fields={
        "id": _ID,
        "task_id": _number("task_id"),
        "task_name": _text("task_name"),
        "project_id": _number("project_id"),
        "project_name": _text("project_name"),
        "assignee": _ASSIGNEE,
        "mode": _MODE,
        "media_type": _MEDIA_TYPE,
        "stage": _word("stage", _same("annotation", "validation", "acceptance")),
        "state": _word("state", {**_same("new", "completed", "rejected"), "in progress": "in_progress"}),
        "status": _STATUS,
        "type": Constant(value="annotation"),
        "dimension": _FLAT,
        "parent_job_id": _NEVER,
        "created_date": _CREATED,
        "updated_date": _UPDATED,
    },
    searched=("task_name", "project_name", "assignee", "state", "stage"),
)
LABELS: Final = Listing(
    fields={
        "id": _ID,
        "name": _text("name"),
        "color": _text("color"),
        "type": _word(
            "kind",
            _same(
                "any",
                "rectangle",
                "polygon",
                "polyline",
                "points",
                "ellipse",
                "cuboid",
                "mask",
                "tag",
            ),
        ),
        "parent": _NEVER,
        "parent_id": _NEVER,
    },
    searched=("name",),
)
ISSUES: Final = Listing(
    fields={
        "id": _ID,
        "job_id": _number("job_id"),
        "task_id": _number("task_id"),
        "frame_id": _number("frame"),
        "owner": _OWNER,
        "assignee": _ASSIGNEE,
        "resolved": Field(ours="resolved", kind="truth"),
        "created_date": _CREATED,
        "updated_date": _UPDATED,
    },
    searched=("owner", "assignee"),
)
REQUESTS: Final = Listing(
    fields={
        "id": _text("id"),
        "status": _word("status", _same("queued", "started", "finished", "failed")),
        "action": _text("action"),
        "target": _text("target"),
        "subresource": _text("subresource"),
        "format": _text("format"),
        "project_id": _number("project_id"),
        "task_id": _number("task_id"),
        "job_id": _number("job_id"),
        "created_date": Field(ours="created_date", kind="time"),
    },
    searched=(),
)
WEBHOOKS: Final = Listing(
    fields={
        "id": _ID,
        "target_url": _text("target_url"),
        "description": _text("description"),
        "owner": _OWNER,
        "type": Constant(value="project"),
        "project_id": _number("project_id"),
        "is_active": Field(ours="is_active", kind="truth"),
        "created_date": Field(ours="created_date", kind="time"),
        "updated_date": Field(ours="updated_date", kind="time"),
    },
    searched=("target_url", "owner", "type", "description"),
)
USERS: Final = Listing(
    fields={
        "id": _ID,
        "username": _text("username"),
        "first_name": _text("first_name"),
        "last_name": _text("last_name"),
        "is_active": Field(ours="is_active", kind="truth"),
    },
    searched=("username", "first_name", "last_name"),
)
ACCESS_TOKENS: Final = Listing(
    fields={
        "id": _ID,
        "name": _text("name"),
        "read_only": Field(ours="read_only", kind="truth"),
        "created_date": Field(ours="created_date", kind="time"),
        "updated_date": Field(ours="updated_date", kind="time"),
        "expiry_date": Field(ours="expiry_date", kind="time"),
        "last_used_date": Field(ours="last_used_date", kind="time"),
    },
    searched=("name",),
)
COMMENTS: Final = Listing(
    fields={
        "id": _ID,
        "issue_id": _number("issue_id"),
        "job_id": _number("job_id"),
        "frame_id": _number("frame"),
        "owner": _OWNER,
        "created_date": _CREATED,
        "updated_date": _UPDATED,
    },
    searched=("owner",),
)
