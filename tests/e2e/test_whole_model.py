"""A project from its labels to its end, by the installed command: everything people do to what they have."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from yard.media import synthetic

from tests.e2e.command_line import CommandLine

PASSWORD = "a-long-password"
LABELS = [
    {
        "name": "car",
        "color": "#ff0000",
        "type": "rectangle",
        "hint": "four wheels",
        "attributes": [
            {"name": "parked", "input_type": "checkbox", "mutable": True, "values": ["false"]},
            {"name": "kind", "input_type": "SELECT", "mutable": False, "values": ["small", "large"]},
        ],
    },
    {"name": "person", "type": "any", "attributes": []},
]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("media") / "street.mp4"
    return synthetic.make_demo_video(path, seconds=4, size=(320, 240), fps=10)


def person(command: CommandLine, name: str) -> CommandLine:
    command.good("user", "create", name, "--role", "worker", "--password", PASSWORD)
    logged_in = dataclasses.replace(command, profile=name)
    assert logged_in.login(name, PASSWORD).code == 0
    return logged_in


def box(label: int | str, frame: int, left: float, **others: Any) -> dict[str, Any]:
    points = [left, 20, left + 50, 80]
    return {"frame": frame, "label_id": label, "kind": "SHAPE_KIND_RECTANGLE", "points": points, **others}


def new_task(command: CommandLine, video: Path, name: str, *options: object) -> dict[str, Any]:
    cut = ("--segment-size", 20, "--overlap", 5)
    task: dict[str, Any] = command.json("task", "create", name, video, *options, *cut, "--wait")
    return task


def put(command: CommandLine, job: dict[str, Any], *shapes: dict[str, Any]) -> None:
    text = json.dumps({"shapes": shapes})
    command.good("annotations", "put", "--job", job["id"], "-", text=text)


def shapes_of(command: CommandLine, *options: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = command.json("annotations", "get", *options)["annotations"]["shapes"]
    return found


def test_labels_are_copied_as_text(command: CommandLine) -> None:
    file = command.folder / "labels.json"
    file.write_text(json.dumps(LABELS))
    checked = command.good("label", "parse", file).out
    assert "car (rectangle) #ff0000" in checked
    assert "hint means nothing here" in checked
    ended = command.good("project", "create", "from text", "--labels", file, "--json")
    assert "labels.json: [0].hint means nothing here" in ended.err
    [car, walker] = ended.json["labels"]
    assert [each["name"] for each in car["attributes"]] == ["parked", "kind"]
    assert walker["color"].startswith("#")
    text = command.good("label", "format", "--project", ended.json["id"], "--without-ids").out
    copy = command.folder / "copy.json"
    copy.write_text(text)
    again = command.json("project", "create", "a copy", "--labels", copy)
    assert [each["color"] for each in again["labels"]] == [car["color"], walker["color"]]
    file.write_text('[{"name": "a", "type": "blob"}, {"name": "b", "type": "any", "attributes": 3},]')
    complaint = command.fails("project", "create", "wrong", "--labels", file)
    assert "labels.json: [0].type: " in complaint
    assert "labels.json: [1].attributes: " in complaint


def test_a_plan_makes_nothing(command: CommandLine) -> None:
    options = ("--label", "car", "--segment-size", 200, "--overlap", 20, "--dry-run", "--frames", 500)
    plan = command.json("task", "create", "planned", *options)
    frames = [(int(each["frames"]["first"]), int(each["frames"]["last"])) for each in plan["segments"]]
    assert frames == [(0, 199), (180, 379), (360, 499)]
    assert command.good("task", "list", "--name", "planned", "--count").out == "0\n"


def test_a_project_to_its_end(command: CommandLine, video: Path) -> None:
    (command.folder / "labels.json").write_text(json.dumps(LABELS))
    project = command.json("project", "create", "Avenue", "--labels", "labels.json")
    task = new_task(command, video, "north", "--project", project["id"], "--subset", "train")
    new_task(command, video, "south", "--project", project["id"])
    jobs = command.json("job", "list", "--task", task["id"])
    maria, nils = person(command, "maria"), person(command, "nils")
    command.good("job", "update", jobs[0]["id"], "--assignee", "maria", "--reviewer", "nils")
    command.good("job", "update", jobs[1]["id"], "--assignee", "nils")
    assert command.good("job", "list", "--task", task["id"], "--unassigned", "--count").out == "1\n"
    _annotate(command, maria, nils, task, jobs)
    _discuss(maria, nils, jobs[0])
    _look_back(maria, jobs[0], int(project["labels"][0]["id"]))
    _leave_out(command, maria, task, jobs[0])
    _find(command, project, task)
    _move(command, task)
    _delete_and_bring_back(command, project, task)


def _annotate(
    command: CommandLine,
    maria: CommandLine,
    nils: CommandLine,
    task: dict[str, Any],
    jobs: list[dict[str, Any]],
) -> None:
    """Both draw the same car where their jobs overlap, nils a little beside it: it is one."""
    car = task["labels"][0]["id"]
    put(maria, jobs[0], box(car, 3, 10), box(car, 17, 100))
    put(nils, jobs[1], box(car, 17, 102), box(car, 30, 10))
    merged = command.json("annotations", "get", "--task", task["id"])
    assert sorted(int(each["frame"]) for each in merged["annotations"]["shapes"]) == [3, 17, 30]
    assert merged["merge"]["merged_shapes"] == "1"
    late = shapes_of(command, "--task", task["id"], "--frames", "18-39", "--label", car)
    assert [int(each["frame"]) for each in late] == [30]
    assert "not found" in nils.fails("annotations", "get", "--job", jobs[2]["id"]).lower()


def _discuss(maria: CommandLine, nils: CommandLine, job: dict[str, Any]) -> None:
    issue = nils.json(
        "issue", "create", job["id"], "too wide", "--frame", 3, "--at", "10,20", "--assignee", "maria"
    )
    assert "comment" in maria.good("issue", "comment", issue["id"], "is it?").out
    assert "too wide" in maria.good("issue", "list", "--job", job["id"], "--open").out
    said = maria.json("issue", "show", issue["id"])["comments"]
    assert [each["message"] for each in said] == ["too wide", "is it?"]
    maria.good("issue", "resolve", issue["id"])
    assert maria.json("issue", "list", "--job", job["id"], "--open") == []
    assert "frame" in nils.fails("issue", "create", job["id"], "nowhere", "--frame", 39, "--at", "10,20")
    nils.good("issue", "delete", issue["id"], "--yes")
    assert maria.json("issue", "list", "--job", job["id"]) == []


def _look_back(maria: CommandLine, job: dict[str, Any], car: int) -> None:
    before = shapes_of(maria, "--job", job["id"])
    changes = {
        "create": {"shapes": [box(car, 5, 200)]},
        "update": {"shapes": [{**box(car, 3, 12), "id": before[0]["id"]}]},
        "delete": {"shapes": [{"id": before[1]["id"]}]},
    }
    said = maria.good("annotations", "patch", "--job", job["id"], "-", text=json.dumps(changes)).out
    assert said == "created: 0 tags, 1 shapes, 0 tracks; revision 2\n"
    last, first = maria.json("history", "list", "--job", job["id"])
    assert [last[name] for name in ("created", "updated", "deleted")] == ["1", "1", "1"]
    assert (first["revision"], first["user"]["username"]) == ("1", "maria")
    assert "updated: 0 tags, 1 shapes" in maria.good("history", "diff", job["id"], 1).out
    assert maria.json("history", "show", job["id"], 1)["annotations"]["shapes"] == before
    maria.good("history", "show", job["id"], 1, "-o", "before.json")
    assert maria.fails("history", "restore", job["id"], 1, "--base-revision", 1)
    maria.good("history", "restore", job["id"], 1, "--base-revision", 2)
    assert [each["points"] for each in shapes_of(maria, "--job", job["id"])] == [
        each["points"] for each in before
    ]


def _leave_out(command: CommandLine, maria: CommandLine, task: dict[str, Any], job: dict[str, Any]) -> None:
    assert maria.good("frame", "delete", 0, "2-4", "--job", job["id"]).out == "deleted: 0\ndeleted: 2-4\n"
    maria.good("frame", "restore", 3, "--job", job["id"])
    runs = command.json("frame", "deleted", "--task", task["id"])["deleted"]
    assert [(int(run["first"]), int(run["last"])) for run in runs] == [(0, 0), (2, 2), (4, 4)]
    assert maria.run("frame", "delete", "4-2", "--job", job["id"]).code == 2
    assert maria.fails("frame", "delete", 39, "--job", job["id"])


def _find(command: CommandLine, project: dict[str, Any], task: dict[str, Any]) -> None:
    def names(*options: object) -> list[str]:
        return [each["name"] for each in command.json("task", "list", "--project", project["id"], *options)]

    assert names() == ["south", "north"]
    assert names("--order", "name") == ["north", "south"]
    assert names("--order", "name", "--reverse") == ["south", "north"]
    assert names("--subset", "train") == ["north"]
    assert names("--project-like", "AVEN", "--owner-like", "adm") == ["south", "north"]
    assert names("--status", "completed") == []
    command.good("task", "update", task["id"], "--issue-tracker", "https://tracker.example.org/7")
    assert names("--issue-tracker-like", "TRACKER") == ["north"]
    assert "Avenue" in command.good("task", "show", task["id"]).out
    assert command.good("project", "list", "--name", "aven", "--count").out == "1\n"


def _move(command: CommandLine, task: dict[str, Any]) -> None:
    """Out of its project and back; another one does not have its labels."""
    move, shapes = ("task", "move", task["id"]), shapes_of(command, "--task", task["id"])
    command.good("project", "create", "Boulevard", "--label", "car:rectangle")
    plan = command.good(*move, "--project", "Boulevard", "--dry-run").out
    assert f"task {task['id']} cannot be moved" in plan
    assert "attribute parked of label car is not there" in plan
    assert "label person is not there" in command.fails(*move, "--project", "Boulevard")
    assert command.run(*move).code == 2
    assert "is in no project" in command.good(*move, "--out").out
    moved = shapes_of(command, "--task", task["id"])
    assert [each["id"] for each in moved] == [each["id"] for each in shapes]
    assert not {each["label_id"] for each in moved} & {each["label_id"] for each in shapes}
    assert command.json(*move, "--project", "Avenue")["task"]["project_name"] == "Avenue"
    assert shapes_of(command, "--task", task["id"]) == shapes


def _delete_and_bring_back(command: CommandLine, project: dict[str, Any], task: dict[str, Any]) -> None:
    shapes = shapes_of(command, "--task", task["id"])
    ended = command.good("task", "delete", task["id"], "--yes")
    assert f"frameyard task undelete {task['id']}" in ended.err
    assert "not found" in command.fails("task", "show", task["id"]).lower()
    [gone] = command.json("task", "list", "--deleted", "--project", project["id"])
    assert (gone["id"], "purge_time" in gone) == (task["id"], True)
    command.good("task", "undelete", task["id"])
    assert shapes_of(command, "--task", task["id"]) == shapes
    command.good("project", "delete", project["id"], "--yes")
    assert command.json("task", "list", "--name", "north", "--project-like", "Avenue") == []
    assert [each["name"] for each in command.json("project", "list", "--deleted", "--name", "Avenue")] == [
        "Avenue"
    ]
    assert command.json("project", "undelete", project["id"])["task_count"] == "2"
    assert shapes_of(command, "--task", task["id"]) == shapes


def test_objects_of_any_number_go_out_and_in(command: CommandLine, video: Path) -> None:
    task = new_task(command, video, "many", "--label", "car:any:parked=~checkbox")
    label = task["labels"][0]
    value = {"attribute_id": label["attributes"][0]["id"], "value": "true"}
    shapes = [{"shape": box(label["id"], n % 15, n % 200, attributes=[value])} for n in range(9_000)]
    states = [box(0, frame, frame) for frame in (2, 8)]
    keyframes = [{name: each[name] for name in ("frame", "kind", "points")} for each in states]
    lines = [*shapes, {"track": {"label_id": label["id"], "keyframes": keyframes}}]
    lines.insert(500, {"tag": {"frame": 7, "label_id": label["id"]}})
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    said = command.good("annotations", "import", "--task", task["id"], "-", text=text).out
    assert said.startswith("1 tags, 9000 shapes, 1 tracks; ")
    ended = command.good("annotations", "stream", "--task", task["id"])
    found = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.err == "9002 objects\n"
    drawn = sorted((int(s.get("frame", 0)), *s["points"]) for line in found if (s := line.get("shape")))
    assert drawn == sorted((s["shape"]["frame"], *s["shape"]["points"]) for s in shapes)
    [track] = [line["track"] for line in found if "track" in line]
    assert [int(each["frame"]) for each in track["keyframes"]] == [2, 8]
    command.good("annotations", "import", "--task", task["id"], "-", "--replace", text=ended.out)
    command.good("annotations", "get", "--task", task["id"], "-o", "all.json")
    replaced = command.good("annotations", "import", "--task", task["id"], "all.json", "--replace").out
    assert replaced.startswith("1 tags, 9000 shapes, 1 tracks; ")


def test_an_import_with_faults_names_their_lines_and_changes_nothing(
    command: CommandLine, video: Path
) -> None:
    task = new_task(command, video, "faulty", "--label", "car")
    label = task["labels"][0]["id"]
    lines = [{"shape": box(label, 1, 10)}, {"shape": box(label, 39, -500)}, {"shape": box(label, 99, 10)}]
    file = command.folder / "objects.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    complaint = command.fails("annotations", "import", "--task", task["id"], file)
    assert "objects.jsonl: line 2.points" in complaint
    assert "objects.jsonl: line 3.frame" in complaint
    file.write_text(json.dumps(lines[0]) + '\n{"blob": {}}\n')
    assert "objects.jsonl: line 2: " in command.fails("annotations", "import", "--task", task["id"], file)
    file.write_text(json.dumps(lines[0]) + f'\n{{"shape": {{"frame": 1, "label_id": {label}}}}}\n')
    complaint = command.fails("annotations", "import", "--task", task["id"], file)
    assert "objects.jsonl: line 2.kind: must be given" in complaint
    assert shapes_of(command, "--task", task["id"]) == []
