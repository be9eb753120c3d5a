"""Parts of the API that have no high-level objects: webhooks, requests, and what is not supported."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cvat_sdk import Client, models

from tests.gateway.clients.flows.projects import project
from tests.gateway.clients.flows.scenes import album, refused


def webhooks(client: Client, folder: Path, *, address: str) -> dict[str, Any]:
    """Made, tried, let to see a task made, and asked what it has sent."""
    hooks = client.api_client.webhooks_api
    known, _ = hooks.retrieve_events(type="project")
    assert {"create:task", "update:job"} <= {event.key for event in known.events}
    made = project(client, "watched")
    spec = models.WebhookWriteRequest(
        target_url=address,
        type=models.WebhookType("project"),
        events=[models.EventsEnum("create:task")],
        project_id=made.id,
        content_type=models.WebhookContentType("application/json"),
        secret="known to both",
        is_active=True,
        enable_ssl=False,
    )
    hook, _ = hooks.create(webhook_write_request=spec)
    ping, _ = hooks.create_ping(hook.id)
    task = client.tasks.create({"name": "seen", "project_id": made.id})
    hooks.partial_update(hook.id, patched_webhook_write_request={"description": "for all to see"})
    listed, _ = hooks.list(project_id=made.id)
    assert [(found.id, found.description) for found in listed.results] == [(hook.id, "for all to see")]
    return {"hook": hook.id, "ping": ping.status_code, "task": task.id}


def deliveries(client: Client, folder: Path, *, hook: int) -> list[list[Any]]:
    """Of a webhook, the newest first; it is taken down then."""
    hooks = client.api_client.webhooks_api
    found, _ = hooks.list_deliveries(hook)
    told = [[sent.event, sent.status_code] for sent in found.results]
    if len(told) > 1:
        one, _ = hooks.retrieve_deliveries(str(found.results[0].id), hook)
        assert one.event == told[0][0]
        hooks.destroy(hook)
    return told


def requests(client: Client, folder: Path) -> list[str]:
    """What has become of long work, filtered as the client builds it."""
    task = album(client, folder, 2)
    task.export_dataset("CVAT for images 1.1", folder / "a.zip", include_images=False)
    low = client.api_client.requests_api
    found, _ = low.list(task_id=task.id)
    assert {str(each.status) for each in found.results} == {"finished"}
    exports, _ = low.list(task_id=task.id, action="export")
    (export,) = exports.results
    assert export.result_url.startswith(client.api_map.host)
    logic = f'{{"and":[{{"==":[{{"var":"task_id"}},{task.id}]}},{{"==":[{{"var":"action"}},"export"]}}]}}'
    narrowed, _ = low.list(filter=logic, sort="-created_date", format=export.operation.format)
    assert (narrowed.count, [each.id for each in narrowed.results]) == (1, [export.id])
    assert export.operation.format == "CVAT for images 1.1"
    layout, _ = client.api_client.tasks_api.retrieve_validation_layout(task.id)
    assert layout.mode is None
    again, _ = low.retrieve(export.id)
    assert again.operation.task_id == task.id
    with refused(404):
        low.retrieve("action=create&target=task&id=999999999")
    return sorted(each.operation.type for each in found.results)


def unsupported(client: Client, folder: Path) -> list[str]:
    """Lists that clients read on their way are empty; what would be faked is refused with the reason."""
    low = client.api_client
    assert low.cloudstorages_api.list()[0].results == []
    told: list[str] = []
    calls: tuple[Callable[[], Any], ...] = (
        lambda: low.cloudstorages_api.create(
            models.CloudStorageWriteRequest(
                provider_type=models.ProviderTypeEnum("AWS_S3_BUCKET"),
                resource="bucket",
                display_name="bucket",
                credentials_type=models.CredentialsTypeEnum("ANONYMOUS_ACCESS"),
            )
        ),
        lambda: low.lambda_api.create_requests(function_call_request={"function": "f", "task": 1}),
        lambda: low.quality_api.list_reports(),
    )
    for call in calls:
        with refused(400, 501) as reasons:
            call()
        told += reasons
    return told
