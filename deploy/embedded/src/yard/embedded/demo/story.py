"""The steps of the demonstration, in the order in which a person would take them."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from frameyard.annotation.v1 import annotation_service_pb2 as annotations
from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.task.v1 import job_pb2, job_service_pb2, project_service_pb2, task_pb2, task_service_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from yard.client import Client, ClientError, Endpoints, exports, media, uploads
from yard.client.client import request_id
from yard.client.pixels import Pixels
from yard.embedded.demo import drawing, pictures
from yard.embedded.demo.people import ANNOTATORS, Person, logged_in
from yard.embedded.demo.stage import Stage
from yard.media import synthetic

VIDEO_SECONDS, VIDEO_RATE, PHOTOS = 20, 30, 40
SEGMENT, OVERLAP = 200, 20
SHIFTS = (0.0, 6.0)
FORMATS = ("CVAT for video 1.1", "CVAT for images 1.1", "COCO 1.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What all steps need."""

    stage: Stage
    out: Path
    people: Mapping[str, Person]

    @property
    def client(self) -> Client:
        """The administrator's."""
        return self.people["admin"].client


async def run(addresses: Mapping[str, str], username: str, password: str, out: Path) -> int:
    """The whole demonstration; returns the exit status, 1 if something is not as it must be."""
    stage = Stage()
    try:
        async with logged_in(Endpoints.of(addresses), username, password) as people:
            await _tell(Demo(stage=stage, out=out, people=people))
    except ClientError as fault:
        for line in fault.lines():
            stage.say(f"failed: {line}")
        return 1
    except (pictures.WrongPictureError, WrongMergeError) as fault:
        stage.say(f"failed: {fault}")
        return 1
    return 0


class WrongMergeError(Exception):
    """The overlap was not merged as two annotators would expect."""


async def _tell(demo: Demo) -> None:
    video, photos = await asyncio.to_thread(_make_media, demo)
    project_id = await _make_project(demo)
    street = await _make_task(demo, "street", project_id, [video], segment_size=SEGMENT, overlap=OVERLAP)
    album = await _make_task(demo, "photos", project_id, [photos])
    await _show_jobs(demo, [street, album])
    await _check_frames(demo, street, album)
    await _annotate(demo, street, album)
    await _export(demo, street, album)
    _show_commands(demo, street)


def _show_commands(demo: Demo, street: task_pb2.Task) -> None:
    demo.stage.chapter("Five commands to go on with")
    for command in commands_for(street.id):
        demo.stage.say(f".venv/bin/{command}")


def commands_for(task_id: int) -> tuple[str, ...]:
    """What a newcomer may try next, as it is typed."""
    return (
        "frameyard login admin",
        f"frameyard job list --task {task_id}",
        f"frameyard frame get 0 99 --task {task_id}",
        f"frameyard annotations get --task {task_id}",
        f"frameyard export create 'COCO 1.0' --task {task_id} --images",
    )


def _make_media(demo: Demo) -> tuple[Path, Path]:
    demo.stage.chapter("Making media")
    folder = demo.out / "media"
    video, photos = folder / "street.mp4", folder / "photos"
    if not video.exists():
        demo.stage.say(f"a video of {VIDEO_SECONDS} s at 1280x720, the frame number burnt into each picture")
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = video.with_suffix(".part.mp4")
        synthetic.make_demo_video(unfinished, seconds=VIDEO_SECONDS, fps=VIDEO_RATE).replace(video)
    if len(list(photos.glob("*.jpg"))) < PHOTOS:
        demo.stage.say(f"{PHOTOS} images at 1280x720, numbered likewise")
        synthetic.make_demo_images(photos, PHOTOS)
    demo.stage.say(f"{video} and {photos}/")
    return video, photos


async def _make_project(demo: Demo) -> int:
    demo.stage.chapter("Creating a project with labels and attributes")
    request = project_service_pb2.CreateProjectRequest(
        name="Demonstration", labels=drawing.LABELS, request_id=request_id()
    )
    project = (await demo.client.call(demo.client.projects.CreateProject, request)).project
    labels = ", ".join(label.name for label in project.labels)
    demo.stage.say(f"project {project.id} with the labels {labels}")
    return project.id


async def _make_task(
    demo: Demo,
    name: str,
    project_id: int,
    paths: Sequence[Path],
    segment_size: int | None = None,
    overlap: int | None = None,
) -> task_pb2.Task:
    demo.stage.chapter(f"Creating the task {name!r}")
    client = demo.client
    request = task_service_pb2.CreateTaskRequest(
        name=name,
        project_id=project_id,
        segment_size=segment_size,
        overlap=overlap,
        request_id=request_id(),
    )
    task = (await client.call(client.tasks.CreateTask, request)).task
    files = await asyncio.to_thread(uploads.local_files, paths)
    with demo.stage.bytes("uploading", sum(file.size_bytes for file in files)) as on_bytes:
        accepted = await media.upload_and_attach(client, task.id, files, on_bytes=on_bytes)
    with demo.stage.operation("counting and addressing frames") as on_change:
        ready = await media.ready_task(client, accepted, on_change)
    demo.stage.say(f"task {ready.id} is ready for work: {ready.size} frames of {ready.width}x{ready.height}")
    return ready


async def _show_jobs(demo: Demo, tasks: Sequence[task_pb2.Task]) -> None:
    demo.stage.chapter("The jobs")
    rows = []
    for task in tasks:
        for job in await _jobs(demo.client, task.id):
            frames = f"{job.frames.first} to {job.frames.last}"
            rows.append((job.id, task.name, job.segment, frames, task.overlap))
    demo.stage.table(("job", "task", "segment", "frames", "overlap"), rows)


async def _check_frames(demo: Demo, street: task_pb2.Task, album: task_pb2.Task) -> None:
    demo.stage.chapter("Fetching chunks: does frame n show number n?")
    for task in (street, album):
        pixels = Pixels(demo.client, task_id=task.id)
        chunks = math.ceil(task.size / task.data.chunk_size)
        with demo.stage.counting(f"{task.name}, zip chunks", task.size) as on_frames:
            await pictures.check_chunks(pixels, chunks, on_frames)
    pixels = Pixels(demo.client, task_id=street.id)
    with demo.stage.counting("street, mp4 chunks", 2 * street.data.chunk_size) as on_frames:
        await pictures.check_chunks(pixels, 2, on_frames, mp4=True)
    frame = await pixels.frame(123)
    picture = pictures.save(frame.content, demo.out / "frame-123.jpg")
    demo.stage.say(f"every frame shows its own number; look at {picture}")


async def _annotate(demo: Demo, street: task_pb2.Task, album: task_pb2.Task) -> None:
    demo.stage.chapter("Two annotators work over the overlap")
    palette = drawing.Palette(list(street.labels))
    jobs = await _jobs(demo.client, street.id)
    for name, job, shift in zip(ANNOTATORS, jobs[:2], SHIFTS, strict=True):
        await _assign(demo.client, job, demo.people[name])
        drawn = drawing.street(palette, job.frames, jobs[1].frames.first + OVERLAP // 2, shift)
        target = annotations.AnnotationTarget(job_id=job.id)
        request = annotations.PutAnnotationsRequest(target=target, annotations=drawn, request_id=request_id())
        worker = demo.people[name].client
        await worker.call(worker.annotations.PutAnnotations, request)
        demo.stage.say(f"{name} drew a box, a polygon and a track in job {job.id}")
    await _annotate_photos(demo, album)
    await _show_merged(demo, street)


async def _annotate_photos(demo: Demo, album: task_pb2.Task) -> None:
    palette = drawing.Palette(list(album.labels))
    request = annotations.PutAnnotationsRequest(
        target=annotations.AnnotationTarget(task_id=album.id), request_id=request_id()
    )
    request.annotations.shapes.extend(drawing.photo_box(palette, frame) for frame in range(album.size))
    await demo.client.call(demo.client.annotations.PutAnnotations, request)
    demo.stage.say(f"a box on each of the {album.size} photos")


async def _show_merged(demo: Demo, street: task_pb2.Task) -> None:
    target = annotations.AnnotationTarget(task_id=street.id)
    request = annotations.GetAnnotationsRequest(target=target)
    merged = await demo.client.call(demo.client.annotations.GetAnnotations, request)
    found = merged.annotations
    demo.stage.say(
        f"merged: {len(found.shapes)} shapes and {len(found.tracks)} track; "
        f"{merged.merge.merged_shapes} pair of boxes, {merged.merge.merged_tracks} pair of tracks became one"
    )
    if (merged.merge.merged_shapes, merged.merge.merged_tracks, len(found.tracks)) != (1, 1, 1):
        raise WrongMergeError("the two drawings of one car are not one car")


async def _export(demo: Demo, street: task_pb2.Task, album: task_pb2.Task) -> None:
    demo.stage.chapter("Exporting")
    for name, task in zip(FORMATS, (street, album, album), strict=True):
        with demo.stage.operation(f"{task.name} as {name}") as on_change:
            finished = await exports.export(demo.client, name, {"task_id": task.id}, on_change=on_change)
        file = await exports.download(demo.client, finished.name, demo.out)
        demo.stage.say(f"{file} ({file.stat().st_size:,} bytes)")


async def _assign(client: Client, job: job_pb2.Job, person: Person) -> None:
    changed = job_pb2.Job(id=job.id, assignee=PersonRef(id=person.user.id))
    request = job_service_pb2.UpdateJobRequest(job=changed, update_mask=FieldMask(paths=["assignee"]))
    await client.call(client.jobs.UpdateJob, request)


async def _jobs(client: Client, task_id: int) -> list[job_pb2.Job]:
    request = job_service_pb2.ListJobsRequest(task_id=task_id, page_size=1000)
    return list((await client.call(client.jobs.ListJobs, request)).jobs)
