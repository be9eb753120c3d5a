"""What other services than task have in a scene: made for the call that is about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

import grpc.aio
from frameyard.chunk.v1 import chunk_service_pb2 as chunks
from frameyard.chunk.v1 import chunk_service_pb2_grpc
from frameyard.media.v1 import upload_service_pb2 as uploads
from frameyard.media.v1 import upload_service_pb2_grpc
from frameyard.sync.v1 import repository_service_pb2 as sync
from frameyard.sync.v1 import repository_service_pb2_grpc
from frameyard.task.v1 import task_pb2, task_service_pb2_grpc
from frameyard.task.v1 import task_service_pb2 as tasks
from yard.export import store as export_store
from yard.export.domain import Target
from yard.export.store import Export
from yard.runtime import auth, clock, ids
from yard.testkit.fixtures import GRANT_KEY
from yard.webhook.store import knowledge

from tests.rights import people
from tests.rights.people import PEOPLE, Who
from tests.rights.platform import Platform
from tests.rights.scene import Scene

Part = Callable[[Platform, Scene, Who, str], Awaitable[Scene]]

CONTENT: Final = b"abc"
# Where nobody goes: the address is not open.
REPOSITORY: Final = "https://127.0.0.1/us/data"
_OWNER: Final = PEOPLE["task_owner"]
_SIGNER: Final = auth.Grants([GRANT_KEY])
_FORGER: Final = auth.Grants(["a key that is not the one of this platform"])
_ENDED_S: Final = -120


async def operation(platform: Platform, scene: Scene, _who: Who, service: str) -> Scene:
    """Long work of any service, begun by the owner of the task."""
    operations = platform.running[service].runtime.operations
    async with platform.db(service).transaction() as tx:
        found = await operations.create(
            tx, kind="work", target=f"tasks/{scene.task}", owner=str(people.TASK_OWNER)
        )
    return replace(scene, operation=operations.name(found))


async def access_tokens(platform: Platform, scene: Scene, who: Who, _service: str) -> Scene:
    """A token of the caller, and one of somebody else."""
    other = another(who.user_id)
    others_token = await _access_token(platform, other)
    own = await _access_token(platform, who.user_id) if who.user_id else others_token
    return replace(scene, own_token=own, others_token=others_token)


async def _access_token(platform: Platform, user_id: int) -> int:
    found: int = await platform.db("identity").fetchval(
        "INSERT INTO access_token (user_id, name, sha256) VALUES ($1, 't', $2) RETURNING id",
        user_id,
        ids.uuid7().bytes,
    )
    return found


def another(user_id: int) -> int:
    """Somebody who is not this user."""
    return people.USER if user_id == people.WORKER else people.WORKER


async def upload(platform: Platform, scene: Scene, _who: Who, _service: str) -> Scene:
    """An upload of the owner of the task, of which no byte has come."""
    return await _upload(platform, scene, len(CONTENT))


async def complete_upload(platform: Platform, scene: Scene, _who: Who, _service: str) -> Scene:
    """Of an empty file, which has come as soon as it is told of."""
    return await _upload(platform, scene, 0)


async def finished_upload(platform: Platform, scene: Scene, who: Who, _service: str) -> Scene:
    """Of an empty file; the caller's own if they may make one."""
    maker = who if who.user_id and who.token == "valid" else _OWNER
    scene = await _upload(platform, scene, 0, maker)
    stub = upload_service_pb2_grpc.UploadServiceStub(platform.channel("media_ingest", maker))
    await stub.FinishUpload(uploads.FinishUploadRequest(id=scene.upload))
    return scene


async def _upload(platform: Platform, scene: Scene, size_bytes: int, maker: Who = _OWNER) -> Scene:
    stub = upload_service_pb2_grpc.UploadServiceStub(platform.channel("media_ingest", maker))
    file = uploads.NewUploadFile(name="a", size_bytes=size_bytes)
    found = await stub.CreateUpload(uploads.CreateUploadRequest(files=[file]))
    return replace(scene, upload=found.upload.id)


async def parts_begun(platform: Platform, scene: Scene, who: Who, service: str) -> Scene:
    """An upload of which parts are to come by addresses in the store."""
    scene = await upload(platform, scene, who, service)
    stub = upload_service_pb2_grpc.UploadServiceStub(platform.channel("media_ingest", _OWNER))
    await stub.PresignParts(uploads.PresignPartsRequest(upload_id=scene.upload, first_part=1, part_count=1))
    return scene


async def export_of_job(platform: Platform, scene: Scene, _who: Who, _service: str) -> Scene:
    """The archive of an export of the job, which the owner of the task has begun."""
    return await _export(platform, scene, scene.job)


async def export_of_task(platform: Platform, scene: Scene, _who: Who, _service: str) -> Scene:
    """The same of the whole task."""
    return await _export(platform, scene, 0)


async def _export(platform: Platform, scene: Scene, job_id: int) -> Scene:
    found = ids.uuid7()
    archive = await platform.blobs.put(f"exports/{found}/archive", CONTENT)
    expires_at = clock.now() + timedelta(days=1)
    export = Export(
        id=found,
        target=Target(task_id=scene.task, job_id=job_id),
        format="COCO 1.0",
        owner=str(people.TASK_OWNER),
        expires_at=expires_at,
    )
    async with platform.db("export").transaction() as tx:
        await export_store.insert_export(tx, export)
        await export_store.complete_export(
            tx, found, file_name="a.zip", archive=archive, expires_at=expires_at
        )
    return replace(scene, export=f"export/{found}")


async def webhook(platform: Platform, scene: Scene, _who: Who, _service: str) -> Scene:
    """A webhook of the project that another user has made, and a delivery of it that is over."""
    db, delivery = platform.db("webhook"), ids.uuid7()
    hook = await db.fetchval(
        """
        INSERT INTO hook (
            url, host, description, project_id, events, verify_tls, is_active, owner_id, created_at,
            updated_at
        )
        VALUES ('http://127.0.0.1/', '127.0.0.1', '', $1, '{delete:project}', true, true, $2, now(), now())
        RETURNING id
        """,
        scene.project,
        people.USER,
    )
    await db.execute(
        """
        INSERT INTO delivery (id, hook_id, event, body, state, created_at)
        VALUES ($1, $2, 'delete:project', '{}', 'delivered', now())
        """,
        delivery,
        hook,
    )
    async with db.transaction() as tx:
        await knowledge.put_side(
            tx, scene.project, owner_id=people.PROJECT_OWNER, assignee_id=people.PROJECT_ASSIGNEE
        )
    return replace(scene, webhook=hook, delivery=str(delivery))


async def repository(platform: Platform, scene: Scene, _who: Who, _service: str) -> Scene:
    """A repository of the task, which its owner has connected."""
    stub = repository_service_pb2_grpc.RepositoryServiceStub(platform.channel("repo_sync", _OWNER))
    request = sync.ConnectRepositoryRequest(
        task_id=scene.task, repository=task_pb2.DatasetRepository(location=REPOSITORY)
    )
    await stub.ConnectRepository(request)
    return scene


async def grant_of_job(platform: Platform, scene: Scene, who: Who, _service: str) -> Scene:
    """What the caller is given for the job; who is given nothing tries a grant of the owner of the task."""
    request = tasks.GetMediaGrantRequest(job_id=scene.job)
    return replace(scene, grant=await _grant(platform, who, request) or _signed(scene, _OWNER, 0, 9))


async def grant_of_task(platform: Platform, scene: Scene, who: Who, _service: str) -> Scene:
    """The same for the task."""
    request = tasks.GetMediaGrantRequest(task_id=scene.task)
    return replace(scene, grant=await _grant(platform, who, request) or _signed(scene, _OWNER, 0, 19))


async def _grant(platform: Platform, who: Who, request: tasks.GetMediaGrantRequest) -> str:
    if who.role == "service":
        return ""
    stub = task_service_pb2_grpc.TaskServiceStub(platform.channel("task", who))
    try:
        return (await stub.GetMediaGrant(request)).grant
    except grpc.aio.AioRpcError:
        return ""


def _signed(
    scene: Scene, who: Who, first: int, last: int, *, signer: auth.Grants = _SIGNER, ttl_s: int = 900
) -> str:
    wanted = auth.MediaGrant(media_id=UUID(scene.media), first=first, last=last, user_id=who.user_id)
    return signer.sign(wanted, ttl_s)


async def grant_of_other_media(platform: Platform, scene: Scene, who: Who, _service: str) -> Scene:
    """The caller's own, for another task."""
    return replace(scene, grant=_signed(replace(scene, media=platform.film), who, 0, 19))


async def grant_of_another(_platform: Platform, scene: Scene, who: Who, _service: str) -> Scene:
    """Somebody else's, for all of this task."""
    other = PEOPLE["worker" if who.key != "worker" else "user"]
    return replace(scene, grant=_signed(scene, other, 0, 19))


async def grant_that_has_ended(_platform: Platform, scene: Scene, who: Who, _service: str) -> Scene:
    """The caller's own, for all of this task."""
    return replace(scene, grant=_signed(scene, who, 0, 19, ttl_s=_ENDED_S))


async def grant_that_is_forged(_platform: Platform, scene: Scene, who: Who, _service: str) -> Scene:
    """For all of this task, signed by somebody else."""
    return replace(scene, grant=_signed(scene, who, 0, 19, signer=_FORGER))


async def grant_of_other_frames(_platform: Platform, scene: Scene, who: Who, _service: str) -> Scene:
    """The caller's own, for the job behind."""
    return replace(scene, grant=_signed(scene, who, 10, 19))


async def building(platform: Platform, scene: Scene, _who: Who, _service: str) -> Scene:
    """The film, which is being built while somebody reads it."""
    stub = chunk_service_pb2_grpc.ChunkServiceStub(platform.channel("chunking", PEOPLE["service"]))
    call = stub.GetChunk(chunks.GetChunkRequest(media_id=platform.film, number=0))
    async for part in call:
        if part.content:
            break
    platform.readers.append(call)
    return replace(scene, media=platform.film)
