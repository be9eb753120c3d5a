"""A running service with one task, its jobs and labels, and callers who may do different things to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from frameyard.annotation.v1 import annotation_pb2 as annotation
from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.annotation.v1.annotation_events_pb2 import AnnotationsChanged
from frameyard.annotation.v1.annotation_service_pb2_grpc import AnnotationServiceStub
from frameyard.annotation.v1.history_service_pb2_grpc import HistoryServiceStub
from frameyard.media.v1.media_pb2 import MEDIA_STATE_READY
from frameyard.task.v1.task_pb2 import TASK_MODE_INTERPOLATION
from yard.annotations.defaults import Defaults
from yard.runtime import app, auth, errors, rpc
from yard.runtime.db import Database
from yard.task.handlers.annotations.messages import read, write
from yard.task.service import SERVICE
from yard.task.settings import Settings
from yard.task.store import labels, tasks
from yard.testkit.fixtures import SettingsFor
from yard.testkit.refusals import refused

if TYPE_CHECKING:
    from frameyard.annotation.v1.annotation_service_pb2_grpc import AnnotationServiceAsyncStub
    from frameyard.annotation.v1.history_service_pb2_grpc import HistoryServiceAsyncStub
    from grpc.aio import Channel

ADMIN = auth.Principal(user_id=9, username="admin", role="admin")
OWNER = auth.Principal(user_id=1, username="owner", role="user")
ANN = auth.Principal(user_id=2, username="ann", role="worker")
BEN = auth.Principal(user_id=3, username="ben", role="worker")
STRANGER = auth.Principal(user_id=4, username="stranger", role="user")
EXPORT = auth.Principal(user_id=0, username="export", role="service", service="export")

WIDTH, HEIGHT = 1280, 720
# Jobs of 100 frames that share 10 with their neighbours.
WINDOWS = ((0, 99), (90, 189), (180, 239))


@dataclass(slots=True, kw_only=True)
class Scene:
    """Jobs are annotated by ANN and reviewed by BEN; `car` and `person` are labels."""

    running: app.Running[Settings]
    issuer: auth.TokenIssuer
    task_id: int
    jobs: list[int]
    car: int
    person: int
    colour: int
    speed: int
    channels: list[Channel] = field(default_factory=list)

    @property
    def db(self) -> Database:
        """The service's schema."""
        return self.running.runtime.db

    def as_(self, principal: auth.Principal) -> AnnotationServiceAsyncStub:
        """The service as that caller."""
        channel = rpc.channel(self.running.address, token=self.issuer.issue(principal).token)
        self.channels.append(channel)
        return AnnotationServiceStub(channel)

    def history(self, principal: auth.Principal = OWNER) -> HistoryServiceAsyncStub:
        """The history as that caller."""
        channel = rpc.channel(self.running.address, token=self.issuer.issue(principal).token)
        self.channels.append(channel)
        return HistoryServiceStub(channel)

    def job(self, number: int) -> messages.AnnotationTarget:
        """The job of a segment."""
        return messages.AnnotationTarget(job_id=self.jobs[number])

    @property
    def task(self) -> messages.AnnotationTarget:
        """The whole task."""
        return messages.AnnotationTarget(task_id=self.task_id)

    def box(self, frame: int, *points: float, **more: Any) -> annotation.Shape:
        """A rectangle of a car."""
        values = {"label_id": self.car, "kind": annotation.SHAPE_KIND_RECTANGLE, **more}
        return annotation.Shape(frame=frame, points=points or (10, 10, 50, 40), **values)

    def polygon(self, frame: int, *points: float, **more: Any) -> annotation.Shape:
        """An outline of a person."""
        values = {"label_id": self.person, "kind": annotation.SHAPE_KIND_POLYGON, **more}
        return annotation.Shape(frame=frame, points=points or (10, 10, 50, 40, 30, 90), **values)

    def track(self, *keyframes: annotation.Keyframe, **more: Any) -> annotation.Track:
        """A car that moves."""
        return annotation.Track(keyframes=keyframes, **{"label_id": self.car, **more})

    async def put(
        self,
        target: messages.AnnotationTarget,
        *shapes: annotation.Shape,
        tags: Sequence[annotation.Tag] = (),
        tracks: Sequence[annotation.Track] = (),
        by: auth.Principal = OWNER,
        **fields: Any,
    ) -> messages.PutAnnotationsResponse:
        """Replaces the objects."""
        given = annotation.AnnotationSet(shapes=shapes, tags=tags, tracks=tracks)
        request = messages.PutAnnotationsRequest(target=target, annotations=given, **fields)
        return await self.as_(by).PutAnnotations(request)

    async def patch(
        self, target: messages.AnnotationTarget, *, by: auth.Principal = OWNER, **fields: Any
    ) -> messages.PatchAnnotationsResponse:
        """Changes objects; each field is an AnnotationSet."""
        request = messages.PatchAnnotationsRequest(target=target, **fields)
        return await self.as_(by).PatchAnnotations(request)

    async def get(
        self, target: messages.AnnotationTarget, *, by: auth.Principal = OWNER, **fields: Any
    ) -> messages.GetAnnotationsResponse:
        """Reads objects."""
        request = messages.GetAnnotationsRequest(target=target, **fields)
        return await self.as_(by).GetAnnotations(request)

    async def filled(self, given: annotation.AnnotationSet) -> annotation.AnnotationSet:
        """The objects as they are read: with the defaults of what they do not give."""
        task = await tasks.task_of(self.db, self.task_id)
        assert task is not None
        schema = await labels.schema_of(self.db, task)
        return write(Defaults(schema).of_set(read(given, "given").annotations))

    async def revisions(self) -> list[int]:
        """Of the jobs, in their order."""
        rows = await self.db.fetch("SELECT revision FROM job WHERE task_id = $1 ORDER BY id", self.task_id)
        return [row["revision"] for row in rows]

    async def events(self) -> list[AnnotationsChanged]:
        """All that was told of annotations."""
        rows = await self.db.fetch(
            "SELECT body FROM outbox WHERE type = $1 ORDER BY id", AnnotationsChanged.DESCRIPTOR.full_name
        )
        return [AnnotationsChanged.FromString(row["body"]) for row in rows]


def key(frame: int, *points: float, **more: Any) -> annotation.Keyframe:
    """A keyframe of a rectangle."""
    kind = annotation.SHAPE_KIND_RECTANGLE
    return annotation.Keyframe(frame=frame, kind=kind, points=points or (10, 10, 50, 40), **more)


def some(
    *shapes: annotation.Shape, tags: Sequence[annotation.Tag] = (), tracks: Sequence[annotation.Track] = ()
) -> annotation.AnnotationSet:
    """A set of objects."""
    return annotation.AnnotationSet(shapes=shapes, tags=tags, tracks=tracks)


def values(attributes: Mapping[int, str]) -> list[annotation.AttributeValue]:
    """Attribute values by id."""
    return [annotation.AttributeValue(attribute_id=key, value=value) for key, value in attributes.items()]


@asynccontextmanager
async def scene(
    settings_for: SettingsFor,
    *,
    windows: Sequence[tuple[int, int]] = WINDOWS,
    settings: Mapping[str, Any] | None = None,
    **task: Any,
) -> AsyncIterator[Scene]:
    """The service with a task that is ready; other fields are columns of the task."""
    issuer = auth.TokenIssuer.generate()
    async with app.serving(SERVICE, settings_for(Settings, jwks=issuer.jwks, **(settings or {}))) as running:
        db = running.runtime.db
        size = windows[-1][1] + 1 if windows else 0
        task_id = await insert_task(db, size=size, jobs=len(windows), **task)
        label = "INSERT INTO label (task_id, position, name, color, kind) VALUES ($1, $2, $3, '#112233', 1)"
        car = await db.fetchval(f"{label} RETURNING id", task_id, 0, "car")
        person = await db.fetchval(f"{label} RETURNING id", task_id, 1, "person")
        jobs = [await insert_job(db, task_id, number, *window) for number, window in enumerate(windows)]
        made = Scene(
            running=running,
            issuer=issuer,
            task_id=task_id,
            jobs=jobs,
            car=car,
            person=person,
            colour=await insert_attribute(db, car, "colour", 1, ["red", "blue"]),
            speed=await insert_attribute(db, car, "speed", 5, ["0", "100", "5"], mutable=True),
        )
        yield made
        for channel in made.channels:
            await channel.close()


async def insert_task(db: Database, *, size: int, jobs: int, **columns: Any) -> int:
    """A task of OWNER; its media is ready."""
    fields = {
        "name": "street",
        "name_key": "street",
        "owner_id": OWNER.user_id,
        "mode": int(TASK_MODE_INTERPOLATION),
        "media_state": int(MEDIA_STATE_READY),
        "size": size,
        "width": WIDTH,
        "height": HEIGHT,
        "jobs_total": jobs,
        "jobs_annotation": jobs,
        **columns,
    }
    places = ", ".join(f"${number}" for number in range(1, len(fields) + 1))
    statement = f"INSERT INTO task ({', '.join(fields)}) VALUES ({places}) RETURNING id"
    task_id: int = await db.fetchval(statement, *fields.values())
    return task_id


async def insert_job(db: Database, task_id: int, segment: int, first: int, last: int) -> int:
    """A job that ANN annotates and BEN reviews."""
    job_id: int = await db.fetchval(
        """
        INSERT INTO job (task_id, segment, first_frame, last_frame, assignee_id, reviewer_id)
        VALUES ($1, $2, $3, $4, $5, $6)
        RETURNING id
        """,
        task_id,
        segment,
        first,
        last,
        ANN.user_id,
        BEN.user_id,
    )
    return job_id


async def insert_attribute(
    db: Database, label_id: int, name: str, kind: int, options: list[str], *, mutable: bool = False
) -> int:
    """An attribute of a label."""
    attribute_id: int = await db.fetchval(
        """
        INSERT INTO attribute (label_id, position, name, mutable, input, "values")
        VALUES ($1, 0, $2, $3, $4, $5)
        RETURNING id
        """,
        label_id,
        name,
        mutable,
        kind,
        options,
    )
    return attribute_id


async def faults(call: Awaitable[Any]) -> dict[str, str]:
    """Field violations of a call that is refused for them."""
    error = await refused(call)
    assert isinstance(error, errors.InvalidArgument), error
    return {violation.field: violation.description for violation in error.violations}
