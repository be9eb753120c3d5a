import json

from frameyard.task.v1 import label_pb2
from frameyard.task.v1 import label_service_pb2 as messages
from yard.runtime import errors
from yard.testkit.refusals import refused, wrong_fields

from services.task.tests.neighbours import Client

RAW = [
    {
        "name": "car",
        "type": "rectangle",
        "hint": "four wheels",
        "attributes": [
            {"name": "parked", "input_type": "Checkbox", "mutable": True, "values": ["false"]},
            {"name": "doors", "input_type": "number", "mutable": False, "values": ["2", "6", "1"]},
        ],
    },
    {"name": "sky", "color": "#0000ff", "attributes": []},
]


async def parsed(client: Client, text: str) -> messages.ParseLabelsResponse:
    return await client.labels.ParseLabels(messages.ParseLabelsRequest(text=text))


async def text_of(client: Client, *, without_ids: bool = False, **owner: int) -> str:
    request = messages.FormatLabelsRequest(without_ids=without_ids, **owner)
    return (await client.labels.FormatLabels(request)).text


async def test_labels_go_from_one_task_to_another_as_text(ann: Client, stranger: Client) -> None:
    found = await parsed(ann, json.dumps(RAW))
    assert [*found.unknown_keys] == ["[0].hint"]
    assert [label.name for label in found.labels] == ["car", "sky"]
    assert found.labels[0].kind == label_pb2.LABEL_KIND_RECTANGLE
    assert found.labels[0].color not in ("", "#0000ff")
    first = await ann.new_task(labels=found.labels)
    text = await text_of(ann, task_id=first.id, without_ids=True)
    project = await ann.new_project(labels=(await parsed(ann, text)).labels)
    assert await text_of(ann, project_id=project.id, without_ids=True) == text
    with_ids = json.loads(await text_of(ann, task_id=first.id))
    assert [each["id"] for each in with_ids] == [label.id for label in first.labels]
    kept = await parsed(ann, json.dumps([{"id": each["id"], "name": each["name"]} for each in with_ids]))
    assert [(label.id, label.color) for label in kept.labels] == [(label.id, "") for label in first.labels]
    for call in (text_of(stranger, task_id=first.id), text_of(stranger, project_id=project.id)):
        assert isinstance(await refused(call), errors.NotFound)
    assert await wrong_fields(text_of(ann)) == ["owner"]


async def test_faults_of_a_text_are_told_by_their_places(ann: Client) -> None:
    wrong = [{"name": ""}, {"name": "a", "attributes": [{"name": "b", "input_type": "dial", "values": []}]}]
    fields = await wrong_fields(parsed(ann, json.dumps(wrong)))
    assert {"text[0].name", "text[1].attributes[0].input_type"} <= set(fields)
    [field] = await wrong_fields(parsed(ann, "[{"))
    assert field.startswith("text")
