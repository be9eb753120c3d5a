"""How the methods of annotations and their history are called: by method and case."""

from typing import Any, Final

from frameyard.annotation.v1 import annotation_pb2 as objects
from frameyard.annotation.v1 import annotation_service_pb2 as annotation
from frameyard.annotation.v1 import history_service_pb2 as history
from frameyard.common.v1.common_pb2 import FrameRange

from tests.rights.calling import Call
from tests.rights.scene import Scene


def _job_target(scene: Scene) -> annotation.AnnotationTarget:
    return annotation.AnnotationTarget(job_id=scene.job)


def _task_target(scene: Scene) -> annotation.AnnotationTarget:
    return annotation.AnnotationTarget(task_id=scene.task)


def _shapes(scene: Scene) -> objects.AnnotationSet:
    """On a frame of the job and on one of the other job, so that a task-level save is about both."""
    box = objects.Shape(frame=1, label_id=scene.label, kind=objects.SHAPE_KIND_RECTANGLE, points=[1, 1, 9, 9])
    return objects.AnnotationSet(shapes=[box])


def _by_target(name: str, request: Any) -> dict[tuple[str, str], Call]:
    """A method on a job and on the whole task."""
    return {
        (f"annotation.v1.{name}", "a job"): Call(request=lambda scene: request(scene, _job_target(scene))),
        (f"annotation.v1.{name}", "a task"): Call(request=lambda scene: request(scene, _task_target(scene))),
    }


ANNOTATION_CALLS: Final = {
    **_by_target(
        "AnnotationService/GetAnnotations", lambda _, target: annotation.GetAnnotationsRequest(target=target)
    ),
    **_by_target(
        "AnnotationService/PutAnnotations",
        lambda scene, target: annotation.PutAnnotationsRequest(target=target, annotations=_shapes(scene)),
    ),
    **_by_target(
        "AnnotationService/PatchAnnotations",
        lambda scene, target: annotation.PatchAnnotationsRequest(target=target, create=_shapes(scene)),
    ),
    **_by_target(
        "AnnotationService/StreamAnnotations",
        lambda _, target: annotation.StreamAnnotationsRequest(target=target),
    ),
    **_by_target(
        "AnnotationService/ImportAnnotations",
        lambda _, target: [
            annotation.ImportAnnotationsRequest(
                header=annotation.ImportHeader(target=target, mode=annotation.IMPORT_MODE_REPLACE)
            )
        ],
    ),
    **_by_target(
        "AnnotationService/GetDeletedFrames",
        lambda _, target: annotation.GetDeletedFramesRequest(target=target),
    ),
    **_by_target(
        "AnnotationService/UpdateDeletedFrames",
        lambda _, target: annotation.UpdateDeletedFramesRequest(
            target=target, delete=[FrameRange(first=1, last=2)]
        ),
    ),
    **_by_target(
        "HistoryService/ListRevisions", lambda _, target: history.ListRevisionsRequest(target=target)
    ),
    ("annotation.v1.HistoryService/GetRevision", ""): Call(
        request=lambda scene: history.GetRevisionRequest(job_id=scene.job, revision=1)
    ),
    ("annotation.v1.HistoryService/DiffRevisions", ""): Call(
        request=lambda scene: history.DiffRevisionsRequest(job_id=scene.job, from_revision=1)
    ),
    ("annotation.v1.HistoryService/RestoreRevision", ""): Call(
        request=lambda scene: history.RestoreRevisionRequest(job_id=scene.job, revision=1)
    ),
}
