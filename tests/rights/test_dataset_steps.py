"""An import of a data set that loses the answer of every call, one after another, makes everything once."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from frameyard.annotation.v1 import annotation_service_pb2 as annotation
from frameyard.annotation.v1 import annotation_service_pb2_grpc
from frameyard.export.v1 import import_service_pb2 as imports
from frameyard.export.v1 import import_service_pb2_grpc
from frameyard.task.v1 import project_service_pb2 as projects
from frameyard.task.v1 import project_service_pb2_grpc
from yard.export.sources import saving
from yard.runtime import errors
from yard.testkit import eventually
from yard.testkit.fixtures import SettingsFor

from tests.rights.people import PEOPLE
from tests.rights.platform import Platform, all_services
from tests.rights.test_restore_steps import SUCCEEDED, Losing, ended, picture, tasks_of, uploaded

pytestmark = pytest.mark.timeout(200)
WHO = PEOPLE["user"]


@pytest.fixture
async def platform(settings_for: SettingsFor, tmp_path: Path) -> AsyncIterator[Platform]:
    async with all_services(settings_for, share=tmp_path) as platform:
        yield platform


def document(name: str, box: str) -> str:
    image = f'{{"id":1,"file_name":"{name}","width":40,"height":30}}'
    found = f'{{"id":1,"image_id":1,"category_id":1,"bbox":[{box}]}}'
    return f'{{"categories":[{{"id":1,"name":"dog"}}],"images":[{image}],"annotations":[{found}]}}'


def archive(last_box: str = "5,6,7,8") -> bytes:
    """Two subsets of one picture each, with a box."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as files:
        files.writestr("annotations/instances_one.json", document("a.png", "1,2,3,4"))
        files.writestr("annotations/instances_two.json", document("b.png", last_box))
        files.writestr("images/one/a.png", picture(1))
        files.writestr("images/two/b.png", picture(2))
    return made.getvalue()


async def begun(platform: Platform, content: bytes) -> tuple[int, str]:
    """The new project without labels, and the operation."""
    stub = project_service_pb2_grpc.ProjectServiceStub(platform.channel("task", WHO))
    made = (await stub.CreateProject(projects.CreateProjectRequest(name="set"))).project
    request = imports.CreateDatasetImportRequest(
        project_id=made.id, format="COCO 1.0", upload_id=await uploaded(platform, content)
    )
    service = import_service_pb2_grpc.ImportServiceStub(platform.channel("export", WHO))
    return made.id, str((await service.CreateDatasetImport(request)).operation.name)


async def labels_of(platform: Platform, project_id: int) -> list[str]:
    stub = project_service_pb2_grpc.ProjectServiceStub(platform.channel("task", WHO))
    found = await stub.GetProject(projects.GetProjectRequest(id=project_id))
    return [label.name for label in found.project.labels]


class LosingSaves(Losing):
    """The answers of what is saved are lost too."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fault: errors.YardError, only: str = "") -> None:
        super().__init__(monkeypatch, fault, only)
        save = saving.save

        async def losing_save(channels: Any, header: annotation.ImportHeader, batches: Any) -> Any:
            answer = await save(channels, header, batches)
            self._lose("save", header.request_id.encode(), fault, only)
            return answer

        monkeypatch.setattr("yard.export.handlers.subset_task.save", losing_save)


async def test_every_answer_may_be_lost(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yard.export.handlers.restoring.MAX_ATTEMPTS", 100)
    losing = LosingSaves(monkeypatch, errors.Unavailable("the answer is lost"))
    project_id, name = await begun(platform, archive())
    operation = await ended(platform, name)
    assert operation.state == SUCCEEDED, operation
    assert {name for name, _ in losing.lost} >= {
        "UpdateProjectLabelsRequest",
        "CreateTaskRequest",
        "CreateUploadRequest",
        "GetUploadRequest",
        "FinishUploadRequest",
        "AttachMediaRequest",
        "save",
    }
    result = imports.DatasetImportResult()
    operation.result.Unpack(result)
    assert (result.images, result.shapes) == (2, 2)
    tasks = {task.name: task for task in await tasks_of(platform)}
    assert sorted(tasks) == ["one", "two"]
    assert [tasks["one"].id, tasks["two"].id] == list(result.task_ids)
    assert await labels_of(platform, project_id) == ["dog"]
    stub = annotation_service_pb2_grpc.AnnotationServiceStub(platform.channel("task", WHO))
    for name, left in (("one", 1), ("two", 5)):
        assert (tasks[name].subset, tasks[name].size) == (name, 1)
        target = annotation.AnnotationTarget(task_id=tasks[name].id)
        found = (await stub.GetAnnotations(annotation.GetAnnotationsRequest(target=target))).annotations
        assert [shape.points[0] for shape in found.shapes] == [left]


@pytest.mark.parametrize("step", ["UpdateProjectLabelsRequest", "AttachMediaRequest", "save"])
async def test_what_fails_leaves_nothing(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    losing = LosingSaves(monkeypatch, errors.FailedPrecondition("no further"), only=step)
    project_id, name = await begun(platform, archive())
    operation = await ended(platform, name)
    assert operation.error.message == "no further"
    assert losing.lost

    async def is_gone() -> bool:
        return not await tasks_of(platform) and not await labels_of(platform, project_id)

    await eventually(is_gone, timeout_s=30)
