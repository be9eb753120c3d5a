"""Moves of the task of a scene."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frameyard.task.v1 import task_service_pb2 as messages
from frameyard.task.v1.task_service_pb2_grpc import TaskServiceStub
from yard.runtime import rpc

from services.task.tests import annotation_scene as stage
from services.task.tests.annotation_scene import OWNER, Scene

if TYPE_CHECKING:
    from grpc.aio import Channel


async def insert_project(scene: Scene) -> int:
    """A project of OWNER with the labels of the scene, and one more before them."""
    db = scene.db
    project_id: int = await db.fetchval(
        "INSERT INTO project (name, name_key, owner_id) VALUES ('p', 'p', $1) RETURNING id", OWNER.user_id
    )
    label = "INSERT INTO label (project_id, position, name, color, kind) VALUES ($1, $2, $3, '#112233', 1)"
    ids = [
        await db.fetchval(f"{label} RETURNING id", project_id, place, name)
        for place, name in enumerate(("bus", "car", "person"))
    ]
    await stage.insert_attribute(db, ids[1], "speed", 5, ["0", "100", "5"], mutable=True)
    await stage.insert_attribute(db, ids[1], "colour", 1, ["red", "blue", "green"])
    return project_id


def channel(scene: Scene) -> Channel:
    made = rpc.channel(scene.running.address, token=scene.issuer.issue(OWNER).token)
    scene.channels.append(made)
    return made


async def move(scene: Scene, project_id: int) -> None:
    """Moves the task of the scene, whose labels are those of the place then."""
    request = messages.MoveTaskRequest(id=scene.task_id, project_id=project_id)
    moved = (await TaskServiceStub(channel(scene)).MoveTask(request)).task
    labels = {label.name: label for label in moved.labels}
    scene.car, scene.person = labels["car"].id, labels["person"].id
    attributes = {attribute.name: attribute.id for attribute in labels["car"].attributes}
    scene.colour, scene.speed = attributes["colour"], attributes["speed"]
