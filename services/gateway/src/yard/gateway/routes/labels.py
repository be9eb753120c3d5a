"""Labels by themselves."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Response
from frameyard.task.v1 import label_service_pb2
from frameyard.task.v1.label_service_pb2 import OwnedLabel
from yard.gateway.cvat.faults import OF_LABEL, told
from yard.gateway.cvat.fields import LABELS
from yard.gateway.cvat.labels import LabelRead, LabelWrite, label_read, one_label_changes
from yard.gateway.cvat.queries import LabelQuery, asked
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.paging import Page, Paged
from yard.gateway.upstream.caller import Caller
from yard.gateway.upstream.labels import LabelChanges, change_labels
from yard.runtime import errors

router = APIRouter(prefix="/labels", tags=["labels"])

LabelId = Annotated[int, Path(ge=1, le=2**63 - 1, description="Id of the label.")]
OWNERS = ("task_id", "project_id", "job_id")


@router.get("")
async def list_labels(
    caller: Calling, paging: Paged, query: Annotated[LabelQuery, Query()]
) -> Page[LabelRead]:
    """Lists labels by id."""
    request = label_service_pb2.ListLabelsRequest(
        page_size=paging.size,
        skip=paging.skip,
        with_total_size=True,
        **_owner(query),
        **asked(query, LABELS, aside=OWNERS, order="id"),
    )
    answer = await caller.call(caller.services.labels.ListLabels, request)
    return paging.page([label_read(label) for label in answer.labels], answer.total_size)


@router.get("/{label_id}")
async def read_label(caller: Calling, label_id: LabelId) -> LabelRead:
    """Reads a label."""
    return label_read(await _label(caller, label_id))


@router.patch("/{label_id}")
async def change_label(caller: Calling, label_id: LabelId, body: Annotated[LabelWrite, Body()]) -> LabelRead:
    """Changes a label and its attributes; what is not given stays."""
    if body.deleted:
        raise errors.invalid("deleted", "a label by itself is deleted with DELETE")
    owned = await _label(caller, label_id)
    faults: list[errors.Violation] = []
    changes = one_label_changes(body, owned.label, faults)
    errors.refuse(faults)
    with told(OF_LABEL):
        await _change(caller, owned, changes)
    return label_read(await _label(caller, label_id))


@router.delete("/{label_id}", status_code=204)
async def delete_label(caller: Calling, label_id: LabelId) -> Response:
    """Deletes a label with its objects."""
    await _change(caller, await _label(caller, label_id), LabelChanges(deleted=[label_id]))
    return Response(status_code=204)


async def _change(caller: Caller, owned: OwnedLabel, changes: LabelChanges) -> None:
    await change_labels(caller, changes, task_id=owned.task_id, project_id=owned.project_id)


async def _label(caller: Caller, label_id: int) -> OwnedLabel:
    request = label_service_pb2.GetLabelRequest(id=label_id)
    return (await caller.call(caller.services.labels.GetLabel, request)).label


def _owner(query: LabelQuery) -> dict[str, Any]:
    """The owner that is given; InvalidArgument for several."""
    named = {name: number for name in OWNERS if (number := getattr(query, name)) is not None}
    if len(named) > 1:
        raise errors.invalid(next(iter(named)), "only one of task_id, job_id and project_id may be given")
    return named
