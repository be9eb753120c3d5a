"""Projects with their tasks, jobs, and what people say about them."""

import zipfile
from pathlib import Path
from typing import Any

from cvat_sdk import Client, models
from cvat_sdk.core.proxies.projects import Project

from tests.gateway.clients.flows.annotations import everything
from tests.gateway.clients.flows.formats import annotated, kinds
from tests.gateway.clients.flows.scenes import LABELS, album, distance, label_ids, refused


def project(client: Client, name: str = "cars") -> Project:
    return client.projects.create(models.ProjectWriteRequest(name=name, labels=LABELS))


def life(client: Client, folder: Path) -> dict[str, Any]:
    """Made, changed, listed, filled, taken apart."""
    made = project(client)
    one = album(client, folder, 3, project_id=made.id, subset="Train")
    two = album(client, folder, 3, project_id=made.id)
    assert {task.id for task in made.get_tasks()} == {one.id, two.id}
    assert label_ids(one) == label_ids(made)
    made.update(models.PatchedProjectWriteRequest(name="lorries", labels=[{"name": "bus"}]))
    assert made.name == "lorries"
    assert "bus" in label_ids(one)
    assert made.id in [found.id for found in client.projects.list(name="lorries")]
    assert distance(made.get_preview(), folder / "pictures" / "p00.png") < 40
    read = client.projects.retrieve(made.id)
    assert (read.tasks.count, read.task_subsets) == (2, ["Train"])
    made.remove()
    with refused(404):
        client.tasks.retrieve(one.id)
    return {"owner": read.owner.username}


def moved(client: Client, folder: Path) -> dict[str, int]:
    """A task of its own moves into a project and keeps its annotations, on labels with the same names."""
    made = project(client, "receiving")
    task = annotated(client, folder)
    task.update(models.PatchedTaskWriteRequest(project_id=made.id))
    assert task.project_id == made.id
    assert label_ids(task) == label_ids(made)
    assert {shape.label_id for shape in task.get_annotations().shapes} <= set(label_ids(made).values())
    return kinds(task)


def datasets(client: Client, folder: Path) -> list[str]:
    """Exported with the pictures of all tasks."""
    made = project(client, "whole")
    annotated(client, folder, project_id=made.id, subset="Train")
    made.export_dataset("CVAT for images 1.1", folder / "p.zip", include_images=True)
    with zipfile.ZipFile(folder / "p.zip") as archive:
        return sorted(archive.namelist())


def imported(client: Client, folder: Path, *, names: dict[str, str]) -> dict[str, Any]:
    """What comes of a project's own export in each format, by subset, in a new project."""
    made = project(client, "source")
    for subset in ("Train", "Val"):
        annotated(client, folder, project_id=made.id, subset=subset)
    found: dict[str, Any] = {}
    for exporter, importer in names.items():
        file = folder / f"{exporter}.zip"
        made.export_dataset(exporter, file, include_images=True)
        again = project(client, exporter)
        again.import_dataset(importer, file)
        tasks = {task.name: task for task in again.get_tasks()}
        for task in tasks.values():
            assert (task.subset, task.size, task.project_id) == (task.name, 4, again.id)
        if exporter == "COCO 1.0":
            for number, source in enumerate(sorted((folder / "pictures").iterdir())):
                assert distance(tasks["Val"].get_frame(number, quality="original"), source) == 0
        found[exporter] = {name: kinds(task) for name, task in sorted(tasks.items())}
    return found


def unknown(client: Client, folder: Path) -> str:
    """A data set with a label that the project does not have."""
    made = project(client, "source")
    annotated(client, folder, project_id=made.id)
    made.export_dataset("Datumaro 1.0", folder / "d.zip", include_images=True)
    other = client.projects.create(models.ProjectWriteRequest(name="other", labels=[{"name": "cat"}]))
    with refused() as told:
        other.import_dataset("Datumaro 1.0", folder / "d.zip")
    assert other.get_tasks() == []
    return told[0]


def names(client: Client, folder: Path, *, project_id: int) -> dict[str, list[str]]:
    """Of the pictures of each task."""
    tasks = client.projects.retrieve(project_id).get_tasks()
    return {task.name: [frame.name for frame in task.get_meta().frames] for task in tasks}


def jobs(client: Client, folder: Path, *, worker: str) -> list[Any]:
    """Given to somebody, moved through stages, found by them."""
    task = album(client, folder, 4, segment_size=2, overlap=0)
    somebody = next(user for user in client.users.list(search=worker) if user.username == worker)
    first, second = sorted(task.get_jobs(), key=lambda job: job.id)
    first.update(models.PatchedJobWriteRequest(assignee=somebody.id))
    assert first.assignee.username == worker
    first.update(models.PatchedJobWriteRequest(stage="validation", state="in progress"))
    assert (str(first.stage), str(first.state)) == ("validation", "in progress")
    assert [job.id for job in client.jobs.list(task_id=task.id, assignee=worker)] == [first.id]
    assert [job.id for job in client.jobs.list(task_id=task.id, stage="annotation")] == [second.id]
    first.update(models.PatchedJobWriteRequest(stage="acceptance", state="completed"))
    task.fetch()
    assert (task.jobs.count, task.jobs.completed) == (2, 1)
    first.update(models.PatchedJobWriteRequest(assignee=None))
    assert first.assignee is None
    meta = second.get_meta()
    assert (meta.size, meta.start_frame, meta.stop_frame) == (2, 2, 3)
    second.remove_frames_by_ids([3])
    assert task.get_meta().deleted_frames == [3]
    pictures = sorted((folder / "pictures").iterdir())
    assert distance(second.get_frame(2, quality="original"), pictures[2]) == 0
    assert distance(second.get_preview(), pictures[2]) < 40
    second.download_frames([3], outdir=folder / "job")
    assert distance(folder / "job" / "frame_000003.png", pictures[3]) == 0
    return [[job.start_frame, job.stop_frame] for job in (first, second)]


def issues(client: Client, folder: Path) -> list[str]:
    """Opened, answered, settled, deleted."""
    job = album(client, folder, 2).get_jobs()[0]
    spec = models.IssueWriteRequest(frame=1, position=[1.0, 2.5, 30, 40], job=job.id, message="what is this?")
    issue = client.issues.create(spec)
    comment = client.comments.create(models.CommentWriteRequest(issue=issue.id, message="a dog"))
    comment.update(models.PatchedCommentWriteRequest(message="a cat"))
    issue.update(models.PatchedIssueWriteRequest(resolved=True))
    (found,) = job.get_issues()
    assert (found.frame, found.resolved, list(found.position)) == (1, True, [1.0, 2.5, 30, 40])
    told = [said.message for said in found.get_comments()]
    comment.remove()
    assert client.issues.retrieve(issue.id).comments.count == 1
    issue.remove()
    assert job.get_issues() == []
    return told


def labels(client: Client, folder: Path) -> dict[str, Any]:
    """Those of a task as they were given, changed one by one and through the task."""
    task = album(client, folder, 2)
    read = {label.name: label for label in task.get_labels()}
    for given in LABELS:
        label = read[given["name"]]
        assert (label.type, label.color) == (given["type"], given.get("color", label.color))
        for wanted, attribute in zip(given.get("attributes", []), label.attributes, strict=True):
            assert {key: attribute.to_dict()[key] for key in wanted} == wanted
    low = client.api_client.labels_api
    low.partial_update(read["person"].id, patched_label_request={"name": "human", "color": "#0000ff"})
    assert low.retrieve(read["person"].id)[0].name == "human"
    low.destroy(read["night"].id)
    task.update({"labels": [{"name": "dog", "type": "rectangle"}, {"id": read["car"].id, "name": "truck"}]})
    return {label.name: label.type for label in task.get_labels()}


def lists(client: Client, folder: Path) -> None:
    """Filters as the client builds them, pages, order."""
    made = [client.tasks.create({"name": f"listed {n}", "subset": f"S{n % 2}"}) for n in range(12)]
    ids = [task.id for task in made]
    found = [task.id for task in client.tasks.list(search="listed")]
    assert found == sorted(ids, reverse=True)
    assert [task.id for task in client.tasks.list(search="listed", sort="id")] == ids
    assert {task.id for task in client.tasks.list(search="listed", subset="S1")} == set(ids[1::2])
    assert {task.id for task in client.tasks.list(search="listed", id__in=ids[:3])} == set(ids[:3])
    client.tasks.remove_by_ids(ids)
    assert client.tasks.list(search="listed") == []


def backups(client: Client, folder: Path) -> dict[str, Any]:
    """Of a task and of a project, downloaded and made again."""
    task = annotated(client, folder)
    task.download_backup(folder / "task.zip")
    again = client.tasks.create_from_backup(folder / "task.zip")
    assert again.id != task.id
    assert kinds(again) == kinds(task)
    source = (folder / "pictures" / "p01.png").read_bytes()
    assert again.get_frame(1, quality="original").read() == source
    made = project(client, "kept")
    album(client, folder, 3, project_id=made.id).set_annotations(
        models.LabeledDataRequest(**everything(made))
    )
    made.download_backup(folder / "project.zip")
    restored = client.projects.create_from_backup(folder / "project.zip")
    (inner,) = restored.get_tasks()
    return {"name": restored.name, "kinds": kinds(inner), "labels": sorted(label_ids(restored))}


def organizations(client: Client, folder: Path) -> None:
    """Nobody is in any; the workspace of one's own is as good as none, a named one is not there."""
    assert client.organizations.list() == []
    with client.organization_context(""):
        made = client.tasks.create({"name": "mine"})
        assert made.organization is None
    with refused(400, 403, 404), client.organization_context("acme"):
        client.tasks.list()
    with refused(501):
        client.organizations.create({"slug": "acme"})
