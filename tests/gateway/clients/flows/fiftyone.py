"""What FiftyOne's CVAT integration sends, in its order, with its fields and by the library that it uses."""

from pathlib import Path
from typing import Any

import requests
from cvat_sdk import Client

from tests.gateway.clients.flows.scenes import distance, pictures

LABEL_ID = {"name": "label_id", "input_type": "text", "mutable": True, "values": []}
OBJECT = "64f0c0ffee64f0c0ffee64f0"
"""An id as FiftyOne keeps it in an attribute."""


class Session:
    """Logged in as FiftyOne does it, every answer checked."""

    def __init__(self, host: str, username: str, password: str) -> None:
        self.base = f"{host}/api"
        self._session = requests.Session()
        login = f"{self.base}/auth/login"
        given = {"username": username, "password": password, "email": "a@example.com"}
        cookies = self.send("post", login, json=given).cookies
        self._session.headers["X-CSRFToken"] = cookies["csrftoken"] or ""
        self._session.headers["Referer"] = login
        assert self.send("get", f"{self.base}/server/about").json()["version"].split(".")[0] == "2"

    def send(self, method: str, url: str, **more: Any) -> requests.Response:
        """The answer; an exception if it is a refusal."""
        answer = getattr(self._session, method)(url, verify=False, timeout=60, **more)
        assert answer.ok, f"{method} {url}: {answer.status_code} {answer.text}"
        return answer  # type: ignore[no-any-return]

    def listed(self, url: str) -> list[dict[str, Any]]:
        """All pages, by their `next`."""
        found: list[dict[str, Any]] = []
        page: str | None = url
        while page:
            answer = self.send("get", page).json()
            found += answer["results"]
            page = answer.get("next")
        return found

    def url(self, *parts: object) -> str:
        return "/".join([self.base, *map(str, parts)])


def round_trip(client: Client, folder: Path, *, username: str, password: str) -> dict[str, Any]:
    """`annotate()` with a project, then `load_annotations()`, then everything is deleted."""
    session = Session(client.api_map.host, username, password)
    user = next(
        u["id"] for u in session.listed(session.url(f"users?search={username}")) if u["username"] == username
    )
    assert session.listed(session.url("projects?search=fifty")) == []
    project = a_project(session)
    task, labels = a_task(session, project, user)
    sources = [pictures(folder / "in", 5)[index] for index in (3, 0, 4, 1, 2)]
    jobs = uploaded(session, task, sources)
    for job in jobs:
        session.send("patch", session.url("jobs", job), json={"assignee": user})
    stored = annotated(session, task, labels)
    found = loaded(session, task, jobs)
    for number, source in enumerate(sources):
        query = f"data?type=frame&quality=original&number={number}"
        (folder / "frame").write_bytes(session.send("get", session.url("tasks", task, query)).content)
        assert distance(folder / "frame", source) == 0
    status = session.send("get", session.url("tasks", task)).json()
    session.send("delete", session.url("tasks", task))
    assert not session.send("get", session.url("projects", project)).json()["tasks"]["count"]
    session.send("delete", session.url("projects", project))
    return {"stored": stored, "loaded": found, "assignee": status["assignee"]["username"]}


def a_project(session: Session) -> int:
    label = {"name": "cat", "attributes": [LABEL_ID]}
    made = session.send("post", session.url("projects"), json={"name": "fifty", "labels": [label]}).json()
    (found,) = session.listed(made["labels"]["url"])
    # A schema that lacks an attribute gets it: whole labels are sent back as they were read.
    found["attributes"].append({"name": "mood", "input_type": "text", "mutable": True, "values": []})
    session.send("patch", session.url("projects", made["id"]), json={"labels": [found]})
    again = session.listed(session.url(f"projects?id={made['id']}"))
    assert made["id"] in [project["id"] for project in again]
    return int(made["id"])


def a_task(session: Session, project: int, user: int) -> tuple[int, dict[str, Any]]:
    given = {
        "name": "FiftyOne_cats",
        "image_quality": 75,
        "labels": [],
        "project_id": project,
        "segment_size": 2,
    }
    made = session.send("post", session.url("tasks"), json=given).json()
    labels = {label["name"]: label for label in session.listed(made["labels"]["url"])}
    assert sorted(a["name"] for a in labels["cat"]["attributes"]) == ["label_id", "mood"]
    session.send("patch", session.url("tasks", made["id"]), json={"assignee_id": user})
    return int(made["id"]), labels


def uploaded(session: Session, task: int, sources: list[Path]) -> list[int]:
    files = {f"client_files[{n}]": (path.name, path.read_bytes()) for n, path in enumerate(sources)}
    data = {"image_quality": 75, "use_cache": True, "use_zip_chunks": True, "sorting_method": "predefined"}
    session.send("post", session.url("tasks", task, "data"), data=data, files=files)
    jobs: list[dict[str, Any]] = []
    while not jobs:
        jobs = session.listed(session.url(f"jobs?task_id={task}"))
    assert len(jobs) == 3
    assert session.send("get", session.url("tasks", task, "data/meta")).json()["size"] == len(sources)
    return sorted(job["id"] for job in jobs)


def annotated(session: Session, task: int, labels: dict[str, Any]) -> dict[str, int]:
    cat = labels["cat"]
    attributes = {attribute["name"]: attribute["id"] for attribute in cat["attributes"]}
    kept = [
        {"spec_id": attributes["label_id"], "value": OBJECT},
        {"spec_id": attributes["mood"], "value": "sad"},
    ]
    one = {"label_id": cat["id"], "group": 0, "source": "manual"}
    shape = {**one, "occluded": False, "z_order": 0, "attributes": kept}
    keys = [
        {"type": "rectangle", "frame": n, "points": [1, 1, 9 + n, 9], "occluded": False, "outside": n == 3}
        | {"z_order": 0, "attributes": kept}
        for n in (1, 3)
    ]
    body = {
        "version": 0,
        "shapes": [
            {**shape, "type": "rectangle", "frame": 0, "points": [1.5, 2, 30, 40]},
            {**shape, "type": "polygon", "frame": 4, "points": [1, 1, 30, 1, 30, 30]},
            {**shape, "type": "mask", "frame": 2, "points": [0, 4, 10, 10, 11, 11]},
        ],
        "tags": [{**one, "frame": 1, "attributes": kept}],
        "tracks": [{**one, "frame": 1, "attributes": [], "shapes": keys}],
    }
    answer = session.send("put", session.url("tasks", task, "annotations"), json=body).json()
    for kind in ("shapes", "tags"):
        for item in answer[kind]:
            assert item["id"]
            assert item["label_id"] == cat["id"]
            assert {"spec_id": attributes["label_id"], "value": OBJECT} in item["attributes"]
    return {kind: len(answer[kind]) for kind in ("shapes", "tags", "tracks")}


def loaded(session: Session, task: int, jobs: list[int]) -> list[list[int]]:
    """Counts of shapes, tags and tracks in every job."""
    meta = session.send("get", session.url("tasks", task, "data/meta")).json()
    assert {
        "frames",
        "size",
        "start_frame",
        "stop_frame",
        "frame_filter",
        "chunk_size",
        "deleted_frames",
    } <= set(meta)
    found = []
    for job in jobs:
        data = session.send("get", session.url("jobs", job, "annotations")).json()
        for track in data["tracks"]:
            assert "attributes" in track
            assert "group" in track
            assert any(item["value"] == OBJECT for item in track["shapes"][0]["attributes"])
        found.append([len(data[kind]) for kind in ("shapes", "tags", "tracks")])
    return found
