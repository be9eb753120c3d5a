"""Annotations as JSON, there and back."""

from typing import Any

import httpx
import pytest

from tests.gateway.people import People
from tests.gateway.sending import ended, form, picture

ATTRIBUTES = [
    {"name": "model", "mutable": False, "input_type": "select", "values": ["a", "b"], "default_value": "b"},
    {
        "name": "gone",
        "mutable": True,
        "input_type": "checkbox",
        "values": ["false"],
        "default_value": "false",
    },
]
POINTS: dict[str, list[float]] = {
    "rectangle": [1.5, 2, 30, 40.25],
    "polygon": [0, 0, 10, 0, 10, 10],
    "polyline": [0, 0, 10, 20],
    "points": [3, 4],
    "ellipse": [50, 60, 70, 45],
    "cuboid": [10, 10, 10, 30, 40, 10, 40, 30, 45, 5, 45, 25, 15, 5, 15, 25],
    "mask": [0, 2, 1, 3, 5, 5, 7, 6],
}


class Scene:
    """A task of six frames in two jobs, four and two, and its label."""

    def __init__(self, task_id: int, jobs: list[int], label: dict[str, Any]) -> None:
        self.task = f"/api/tasks/{task_id}/annotations"
        self.jobs = [f"/api/jobs/{job_id}/annotations" for job_id in jobs]
        self.label = label["id"]
        self.specs = [attribute["id"] for attribute in label["attributes"]]

    def shape(self, kind: str = "rectangle", frame: int = 0, **more: Any) -> dict[str, Any]:
        return {"type": kind, "frame": frame, "label_id": self.label, "points": POINTS[kind], **more}

    def tag(self, frame: int, **more: Any) -> dict[str, Any]:
        return {"frame": frame, "label_id": self.label, **more}

    def track(self, frame: int, **more: Any) -> dict[str, Any]:
        keyframe = {"type": "rectangle", "points": POINTS["rectangle"]}
        shapes = [
            {**keyframe, "frame": frame},
            {
                **keyframe,
                "frame": frame + 1,
                "outside": True,
                "attributes": [{"spec_id": self.specs[1], "value": "true"}],
            },
        ]
        return {"frame": frame, "label_id": self.label, "shapes": shapes, **more}


@pytest.fixture
async def scene(admin: httpx.AsyncClient) -> Scene:
    label = {"name": "car", "attributes": ATTRIBUTES}
    made = await admin.post("/api/tasks", json={"name": "t", "labels": [label], "segment_size": 4})
    task_id = made.json()["id"]
    files = form([(f"{number}.png", picture(number)) for number in range(6)])
    request = await ended(admin, await admin.post(f"/api/tasks/{task_id}/data", files=files))
    assert request["status"] == "finished", request
    labels = (await admin.get("/api/labels", params={"task_id": task_id})).json()["results"]
    jobs = (await admin.get("/api/jobs", params={"task_id": task_id})).json()["results"]
    return Scene(task_id, sorted(job["id"] for job in jobs), labels[0])


def counts(body: dict[str, Any]) -> tuple[int, int, int]:
    return len(body["tags"]), len(body["shapes"]), len(body["tracks"])


async def test_objects_that_stick_out_are_kept_as_they_are(admin: httpx.AsyncClient, scene: Scene) -> None:
    given = [[-3.25, -7.5, 40.0, 30.0], [10.0, 20.0, 330.75, 250.0], [-20.0, 5.0, -4.0, 9.0]]
    shapes = [scene.shape() | {"points": points} for points in given]
    saved = await admin.put(scene.task, json={"shapes": shapes})
    assert saved.status_code == 200, saved.text
    found = (await admin.get(scene.task)).json()
    assert sorted(shape["points"] for shape in found["shapes"]) == sorted(given)
    far = [scene.shape() | {"points": [0.0, 0.0, 9.0, 999.0]}]
    refused = await admin.put(scene.task, json={"shapes": far})
    assert (refused.status_code, [*refused.json()]) == (400, ["shapes[0].points"])


async def test_every_kind_goes_there_and_back(admin: httpx.AsyncClient, scene: Scene) -> None:
    model, gone = scene.specs
    shapes = [scene.shape(kind, source="auto", occluded=True, z_order=-2, group=3) for kind in POINTS]
    shapes[0] |= {"rotation": 33.5, "attributes": [{"spec_id": model, "value": "a"}]}
    body = {"version": 0, "tags": [scene.tag(5)], "shapes": shapes, "tracks": [scene.track(1)]}
    saved = await admin.put(scene.task, json=body)
    assert saved.status_code == 200, saved.text
    read = await admin.get(scene.task + "/", headers={"Accept": "application/vnd.cvat+json"})
    found = read.json()
    assert saved.json() == found
    assert read.headers["ETag"] == saved.headers["ETag"] == f'"{found["version"]}-gzip"'
    plain = await admin.get(scene.task, headers={"Accept-Encoding": "identity"})
    assert plain.headers["ETag"] == f'"{found["version"]}"'
    defaults = [{"spec_id": model, "value": "b"}, {"spec_id": gone, "value": "false"}]
    for given, shape in zip(shapes, found["shapes"], strict=True):
        assert shape["id"] > 0
        wanted = {**given, "outside": False, "elements": [], "rotation": given.get("rotation", 0.0)}
        wanted["attributes"] = [*given.get("attributes", defaults[:1]), defaults[1]]
        assert {**shape, "id": 0} == {**wanted, "id": 0}
    (tag,) = found["tags"]
    assert tag == {**scene.tag(5), "id": tag["id"], "group": 0, "source": "manual", "attributes": defaults}
    (track,) = found["tracks"]
    assert (track["frame"], track["attributes"], track["elements"]) == (1, defaults[:1], [])
    assert [(one["frame"], one["outside"]) for one in track["shapes"]] == [(1, False), (2, True)]
    assert [one["attributes"] for one in track["shapes"]] == [
        defaults[1:],
        [{"spec_id": gone, "value": "true"}],
    ]


async def test_jobs_count_frames_as_their_task_does(admin: httpx.AsyncClient, scene: Scene) -> None:
    first, second = scene.jobs
    saved = await admin.put(second, json={"shapes": [scene.shape(frame=5)]})
    assert [shape["frame"] for shape in saved.json()["shapes"]] == [5]
    assert counts((await admin.get(first)).json()) == (0, 0, 0)
    assert counts((await admin.get(scene.task)).json()) == (0, 1, 0)
    refused = await admin.put(second, json={"shapes": [scene.shape(frame=5), scene.shape(frame=0)]})
    assert (refused.status_code, [*refused.json()]) == (400, ["shapes[1].frame"])


@pytest.mark.parametrize("of_job", [False, True])
async def test_objects_are_created_updated_and_deleted(
    admin: httpx.AsyncClient, scene: Scene, of_job: bool
) -> None:
    url = scene.jobs[0] if of_job else scene.task

    async def patch(action: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await admin.patch(url, params={"action": action}, json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    body = {
        "tags": [scene.tag(0)],
        "shapes": [scene.shape(), scene.shape("mask", 2)],
        "tracks": [scene.track(1)],
    }
    created = await patch("create", body)
    assert created == (await admin.get(url)).json()
    mask = {**created["shapes"][1], "z_order": 7}
    updated = await patch("update", {"shapes": [mask, scene.shape("points", 3)], "tracks": []})
    assert [shape["z_order"] for shape in updated["shapes"]] == [7, 0]
    found = (await admin.get(url)).json()
    assert counts(found) == (1, 3, 1)
    assert found["shapes"][1:] == updated["shapes"]
    deleted = await patch("delete", {**found, "shapes": [{**mask, "score": 0.5, "elements": [{"x": 1}]}]})
    assert counts(deleted) == (0, 0, 0)
    assert counts((await admin.get(url)).json()) == (0, 2, 0)
    assert (await admin.delete(url)).status_code == 204
    assert counts((await admin.get(url)).json()) == (0, 0, 0)
    unknown = await admin.patch(url, params={"action": "merge"}, json=body)
    assert (unknown.status_code, [*unknown.json()]) == (400, ["action"])


async def test_all_faults_are_told_at_once_in_words_of_clients(
    admin: httpx.AsyncClient, scene: Scene
) -> None:
    await admin.put(scene.task, json={"shapes": [scene.shape()]})
    skeleton = scene.shape(elements=[scene.shape("points")])
    nameless = {"frame": 0, "label_id": scene.label, "points": []}
    keyframe = {"frame": "x", "type": "rectangle", "points": []}
    malformed = {
        "shapes": [scene.shape(), skeleton, nameless, {**scene.shape(), "type": "blob"}, 5],
        "tracks": [{"label_id": scene.label, "shapes": [keyframe]}],
        "tags": 7,
    }
    for answer in (
        await admin.put(scene.task, json=malformed),
        await admin.patch(scene.task, params={"action": "create"}, json=malformed),
    ):
        assert answer.status_code == 400
        assert [*answer.json()] == [
            "tags",
            "shapes[1].elements",
            "shapes[2].type",
            "shapes[3].type",
            "shapes[4]",
            "tracks[0].shapes[0]",
        ]
    wrong = {
        "shapes": [
            {**scene.shape(), "points": [1, 2]},
            {**scene.shape(), "label_id": 10**9},
            scene.shape(attributes=[{"spec_id": scene.specs[0], "value": "z"}]),
        ],
        "tracks": [{"label_id": scene.label, "shapes": []}],
        "tags": [scene.tag(6)],
    }
    answer = await admin.put(scene.task, json=wrong)
    assert answer.status_code == 400
    assert sorted(answer.json()) == [
        "shapes[0].points",
        "shapes[1].label_id",
        "shapes[2].attributes[0].value",
        "tags[0].frame",
        "tracks[0].shapes",
    ]
    for content in (b"{", b"[]", b'{"shapes": {}}'):
        assert (await admin.put(scene.task, content=content)).status_code == 400
    absent = {**scene.shape(), "id": 10**12}
    answer = await admin.patch(scene.task, params={"action": "update"}, json={"shapes": [absent]})
    assert (answer.status_code, [*answer.json()]) == (400, ["shapes[0].id"])
    assert counts((await admin.get(scene.task)).json()) == (0, 1, 0)


async def test_a_save_may_name_the_revision_it_is_based_on(admin: httpx.AsyncClient, scene: Scene) -> None:
    tag = (await admin.get(scene.task)).headers["ETag"]
    saved = await admin.put(scene.task, json={"shapes": [scene.shape()]}, headers={"If-Match": tag})
    assert saved.status_code == 200
    assert saved.headers["ETag"] != tag
    late = await admin.put(scene.task, json={}, headers={"If-Match": tag})
    assert late.status_code == 412, late.text
    late = await admin.patch(
        scene.task, params={"action": "create"}, json={"tags": [scene.tag(0)]}, headers={"If-Match": tag}
    )
    assert late.status_code == 412
    assert (await admin.put(scene.task, json={}, headers={"If-Match": "x"})).status_code == 400
    present = {"If-None-Match": saved.headers["ETag"]}
    known = await admin.get(scene.task, headers=present)
    assert (known.status_code, known.content) == (304, b"")
    assert (await admin.put(scene.task, json={}, headers={"If-Match": "*"})).status_code == 200


async def test_strangers_learn_nothing_of_annotations(people: People, scene: Scene) -> None:
    stranger = await people.make(f"annotations.stranger{scene.label}")
    for url in (scene.task, *scene.jobs, "/api/tasks/987654321/annotations"):
        for answer in (
            await stranger.get(url),
            await stranger.put(url, json={}),
            await stranger.patch(url, params={"action": "create"}, json={}),
            await stranger.delete(url),
        ):
            assert answer.status_code == 404, (url, answer.text)
    nobody = await people.nobody()
    assert (await nobody.get(scene.task)).status_code == 401


async def test_a_save_of_more_than_one_message_holds_is_refused(
    admin: httpx.AsyncClient, scene: Scene
) -> None:
    outline = scene.shape("polygon")
    outline["points"] = [0.5] * 100_000
    answer = await admin.put(scene.task, json={"shapes": [outline] * 42})
    assert (answer.status_code, [*answer.json()]) == (400, ["body"])
