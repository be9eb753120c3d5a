"""Issues of a backup, opened in the name of who restores it."""

from uuid import UUID, uuid5

from frameyard.export.v1.backup_pb2 import BackupIssue
from frameyard.task.v1 import issue_service_pb2 as messages
from frameyard.task.v1.issue_pb2 import Issue
from google.protobuf.field_mask_pb2 import FieldMask
from yard.export.sources.making import Maker


async def open_issue(maker: Maker, wanted: BackupIssue, job_id: int, step: UUID) -> None:
    """With all that is said about it, once for each step."""
    issues = maker.channels.issues
    request = messages.CreateIssueRequest(
        job_id=job_id,
        frame=wanted.frame,
        position=wanted.position,
        message=wanted.comments[0].message,
        request_id=str(step),
    )
    issue_id = (await maker.call(issues.CreateIssue, request)).issue.id
    for number, comment in enumerate(wanted.comments[1:]):
        said = messages.CreateCommentRequest(
            issue_id=issue_id, message=comment.message, request_id=str(uuid5(step, str(number)))
        )
        await maker.call(issues.CreateComment, said)
    if wanted.resolved:
        change = messages.UpdateIssueRequest(
            issue=Issue(id=issue_id, resolved=True), update_mask=FieldMask(paths=["resolved"])
        )
        await maker.call(issues.UpdateIssue, change)
