"""Annotations of a job as JSON, beside the calls behind it."""

import asyncio
import io
from collections.abc import Callable
from typing import Any, Final

import orjson
from frameyard.annotation.v1 import annotation_pb2
from frameyard.annotation.v1 import annotation_service_pb2 as messages
from PIL import Image
from yard.client import Client
from yard.client.client import request_id
from yard.runtime import clock
from yard.testkit.platform import Platform

from benchmarks.gateway_transfers import Ways, wait, ways_of
from benchmarks.report import Aim, Row, row

SHAPES: Final = 50_000
REPETITIONS: Final = 5
SIZE: Final = (640, 480)
UNDER_1500_MS: Final = Aim(of="ours", relation="<", value=1.5)


def measure_annotations(platform: Platform) -> list[Row]:
    """The same boxes with an attribute, read and saved."""
    with ways_of(platform) as ways:
        job_id, label = _job(ways)
        path = f"/api/jobs/{job_id}/annotations"
        body = orjson.dumps({"shapes": [_shape(number, label) for number in range(SHAPES)]})
        headers = {"Content-Type": "application/json"}
        saves = [
            _seconds(lambda: ways.call("PUT", path, body=body, headers=headers).data)
            for _ in range(REPETITIONS)
        ]
        reads = [_seconds(lambda: _check(ways.call("GET", path).data)) for _ in range(REPETITIONS)]
        streams, puts = asyncio.run(_behind(platform, job_id))
    title = f"{SHAPES:,} shapes of a job"
    return [
        row(f"{title} as JSON (baseline: their columns)", "s", reads, streams, UNDER_1500_MS),
        row(f"{title} saved as JSON (baseline: as messages)", "s", saves, puts),
    ]


def _job(ways: Ways) -> tuple[int, dict[str, Any]]:
    attribute = {"name": "model", "mutable": False, "input_type": "select", "values": ["a", "b"]}
    label = {"name": "car", "attributes": [{**attribute, "default_value": "a"}]}
    task = ways.call("POST", "/api/tasks", json={"name": "bench", "labels": [label]}).json()["id"]
    out = io.BytesIO()
    Image.new("RGB", SIZE).save(out, "PNG")
    fields = {f"client_files[{number}]": (f"{number}.png", out.getvalue()) for number in range(10)}
    wait(ways, ways.call("POST", f"/api/tasks/{task}/data", fields=fields).json()["rq_id"])
    found = [
        ways.call("GET", f"/api/{what}?task_id={task}").json()["results"][0] for what in ("jobs", "labels")
    ]
    return int(found[0]["id"]), found[1]


def _shape(number: int, label: dict[str, Any]) -> dict[str, Any]:
    left, top = (number * 37) % 5_000 / 10, (number * 53) % 3_000 / 10
    return {
        "type": "rectangle",
        "frame": number % 10,
        "label_id": label["id"],
        "points": [left, top, left + 60.25, top + 40.5],
        "attributes": [{"spec_id": label["attributes"][0]["id"], "value": "ab"[number % 2]}],
    }


def _check(text: bytes) -> None:
    if text.count(b'"rectangle"') != SHAPES:
        raise RuntimeError(f"{text.count(b'rectangle')} shapes came")


def _seconds(work: Callable[[], object]) -> float:
    began = clock.monotonic()
    work()
    return clock.monotonic() - began


async def _behind(platform: Platform, job_id: int) -> tuple[list[float], list[float]]:
    """The seconds of reading columns, and of saving messages."""
    target = messages.AnnotationTarget(job_id=job_id)
    async with Client(platform.endpoints) as client:
        await client.login("admin", platform.admin_password)
        streams, puts = [], []
        request = messages.StreamAnnotationsRequest(target=target)
        for _ in range(REPETITIONS):
            began = clock.monotonic()
            metadata = await client.session.metadata()
            async for _answer in client.annotations.StreamAnnotations(request, metadata=metadata):
                pass
            streams.append(clock.monotonic() - began)
        whole = messages.GetAnnotationsRequest(target=target)
        found: annotation_pb2.AnnotationSet = (
            await client.call(client.annotations.GetAnnotations, whole)
        ).annotations
        for _ in range(REPETITIONS):
            began = clock.monotonic()
            put = messages.PutAnnotationsRequest(target=target, annotations=found, request_id=request_id())
            await client.call(client.annotations.PutAnnotations, put)
            puts.append(clock.monotonic() - began)
        return streams, puts
