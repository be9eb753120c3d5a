"""What a change of labels does to objects is told, before it as after it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest
from frameyard.annotation.v1 import annotation_pb2 as annotation
from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.task.v1 import label_pb2, project_service_pb2, task_service_pb2
from yard.annotations.labels import Attribute, AttributeInput
from yard.runtime import errors, rpc
from yard.task.domain.label_effects import Counted, Question
from yard.task.store import annotations as store
from yard.testkit.fixtures import SettingsFor
from yard.testkit.refusals import refused, wrong_fields

from services.task.tests import annotation_scene as stage
from services.task.tests.annotation_scene import ADMIN, ANN, OWNER, STRANGER, Scene, key, values
from services.task.tests.neighbours import Client, Neighbours, Running, emitted

if TYPE_CHECKING:
    from frameyard.task.v1.label_pb2 import LabelEffect

SELECT, NUMBER, TEXT = (
    label_pb2.ATTRIBUTE_INPUT_SELECT,
    label_pb2.ATTRIBUTE_INPUT_NUMBER,
    label_pb2.ATTRIBUTE_INPUT_TEXT,
)
Request = task_service_pb2.UpdateTaskLabelsRequest
Response = task_service_pb2.UpdateTaskLabelsResponse


@pytest.fixture
async def scene(settings_for: SettingsFor) -> AsyncIterator[Scene]:
    async with stage.scene(settings_for) as scene:
        yield scene


async def fill(scene: Scene) -> None:
    """Cars of all kinds in two jobs, with values here and there, and persons."""
    blue, fast, slow = (
        values({scene.colour: "blue"}),
        values({scene.speed: "95"}),
        values({scene.speed: "5"}),
    )
    await scene.put(
        scene.job(0),
        scene.box(1, attributes=[*blue, *fast]),
        scene.box(1, attributes=values({scene.colour: "red"})),
        scene.polygon(1, label_id=scene.car, attributes=slow),
        scene.polygon(2),
        tags=[annotation.Tag(frame=1, label_id=scene.car, attributes=blue)],
        tracks=[
            scene.track(key(1, attributes=slow), key(9, attributes=fast), attributes=blue),
            scene.track(key(1, attributes=slow)),
        ],
    )
    await scene.put(scene.job(1), scene.box(100), scene.box(101, attributes=fast))


async def change(scene: Scene, *labels: label_pb2.Label, by: Any = OWNER, **fields: Any) -> Response:
    channel = rpc.channel(scene.running.address, token=scene.issuer.issue(by).token)
    scene.channels.append(channel)
    stub = Client.over(channel).tasks
    return await stub.UpdateTaskLabels(Request(task_id=scene.task_id, labels=labels, **fields))


async def told(scene: Scene, *labels: label_pb2.Label, **fields: Any) -> Sequence[LabelEffect]:
    """What is told before the change, which must be what is told after it, and leave no trace."""
    before = await everything(scene)
    asked = await change(scene, *labels, validate_only=True, **fields)
    assert await everything(scene) == before
    done = await change(scene, *labels, force=True, **fields)
    assert asked.effects == done.effects
    return asked.effects


async def everything(scene: Scene) -> list[list[Any]]:
    """All rows that a change could touch, and what was told."""
    tables = ("task", "label", "attribute", "job", "tag", "shape", "track", "keyframe", "revision")
    statements = [f"SELECT * FROM {table} ORDER BY 1, 2" for table in tables]
    # Not when it was published.
    statements.append("SELECT id, type, body FROM outbox ORDER BY id")
    return [[tuple(map(repr, row)) for row in await scene.db.fetch(each)] for each in statements]


def car(scene: Scene, *attributes: label_pb2.Attribute, **fields: Any) -> label_pb2.Label:
    return label_pb2.Label(id=scene.car, attributes=attributes, **{"name": "car", **fields})


def effect(scene: Scene, **fields: Any) -> label_pb2.LabelEffect:
    return label_pb2.LabelEffect(
        **{"label_id": scene.car, "name_before": "car", "name_after": "car", **fields}
    )


async def test_objects_that_go_are_counted(scene: Scene) -> None:
    await fill(scene)
    assert await told(scene, delete_label_ids=[scene.car]) == [
        effect(scene, name_after="", deleted_objects=8)
    ]


async def test_objects_that_lose_a_value_are_counted(scene: Scene) -> None:
    await fill(scene)
    assert await told(scene, delete_attribute_ids=[scene.speed, scene.colour]) == [
        effect(scene, stripped_objects=7)
    ]


async def test_objects_of_another_kind_are_counted(scene: Scene) -> None:
    await fill(scene)
    # The tag and the polygon.
    assert await told(scene, car(scene, kind=label_pb2.LABEL_KIND_RECTANGLE)) == [
        effect(scene, misfit_objects=2)
    ]
    # They stay as they are; boxes and tracks do not fit any more either.
    assert await told(scene, car(scene, kind=label_pb2.LABEL_KIND_TAG)) == [effect(scene, misfit_objects=7)]
    assert await told(scene, car(scene, kind=label_pb2.LABEL_KIND_ANY)) == [effect(scene)]


async def test_objects_with_values_that_are_not_allowed_any_more_are_counted(scene: Scene) -> None:
    await fill(scene)
    green = label_pb2.Attribute(id=scene.colour, name="colour", input=SELECT, values=["red", "green"])
    slower = label_pb2.Attribute(
        id=scene.speed, name="speed", input=NUMBER, values=["0", "90", "5"], mutable=True
    )
    # Blue: a box, the tag and a track. Fast: the same box, the same track, and a box of the other job.
    assert await told(scene, car(scene, green)) == [effect(scene, misfit_values=3)]
    assert await told(scene, car(scene, slower)) == [effect(scene, misfit_values=3)]
    free = label_pb2.Attribute(id=scene.colour, name="colour", input=TEXT)
    assert await told(scene, car(scene, free)) == [effect(scene)]
    both = await told(
        scene, car(scene, label_pb2.Attribute(id=scene.colour, name="colour", input=SELECT, values=["green"]))
    )
    assert both == [effect(scene, misfit_values=4)]


async def test_values_in_tracks_that_are_in_the_wrong_place_are_counted(scene: Scene) -> None:
    await fill(scene)
    moved = [
        label_pb2.Attribute(
            id=scene.colour, name="colour", input=SELECT, values=["red", "blue"], mutable=True
        ),
        label_pb2.Attribute(id=scene.speed, name="speed", input=NUMBER, values=["0", "100", "5"]),
    ]
    assert await told(scene, car(scene, moved[0])) == [effect(scene, misfit_values=1)]
    assert await told(scene, car(scene, moved[1])) == [effect(scene, misfit_values=2)]


async def test_new_and_renamed_labels_are_told_and_what_is_listed_as_it_is_is_not(scene: Scene) -> None:
    await fill(scene)
    same = label_pb2.Label(id=scene.person, name="person", color="#112233", kind=label_pb2.LABEL_KIND_ANY)
    assert await told(scene, label_pb2.Label(name="bus"), car(scene, name="auto"), same) == [
        effect(scene, name_after="auto"),
        label_pb2.LabelEffect(name_after="bus"),
    ]


async def test_asking_needs_no_force_but_the_same_rights(scene: Scene) -> None:
    await fill(scene)
    for principal in (OWNER, ADMIN):
        asked = await change(scene, delete_label_ids=[scene.car], validate_only=True, by=principal)
        assert [label.id for label in asked.task.labels] == [scene.car, scene.person]
    fault = await refused(change(scene, delete_label_ids=[scene.car]))
    assert isinstance(fault, errors.FailedPrecondition)
    for principal, error in ((ANN, errors.PermissionDenied), (STRANGER, errors.NotFound)):
        for validate_only in (True, False):
            call = change(scene, delete_label_ids=[scene.car], validate_only=validate_only, by=principal)
            assert type(await refused(call)) is error


async def test_faults_are_told_to_who_only_asks(scene: Scene) -> None:
    call = change(scene, label_pb2.Label(name="car"), delete_label_ids=[999], validate_only=True)
    assert await wrong_fields(call) == ["delete_label_ids[0]", "labels[0].name"]


async def test_labels_of_a_project_are_counted_in_all_its_tasks(
    ann: Client, running: Running, neighbours: Neighbours
) -> None:
    project = await ann.new_project(labels=[label_pb2.Label(name="car"), label_pb2.Label(name="person")])
    scenes = [await neighbours.ready_task(ann, project_id=project.id) for _ in range(2)]
    for number, (_, [job]) in enumerate(scenes):
        shape = annotation.Shape(
            label_id=project.labels[0].id, kind=annotation.SHAPE_KIND_RECTANGLE, points=[1, 1, 9, 9]
        )
        await ann.annotations.PatchAnnotations(
            messages.PatchAnnotationsRequest(
                target=messages.AnnotationTarget(job_id=job.id),
                create=stage.some(*[shape] * (number + 1)),
            )
        )
    events = await emitted(running, project.id)
    request = project_service_pb2.UpdateProjectLabelsRequest(
        project_id=project.id, delete_label_ids=[project.labels[0].id], validate_only=True
    )
    asked = await ann.projects.UpdateProjectLabels(request)
    assert (asked.project, await emitted(running, project.id)) == (await ann.project(project.id), events)
    request.validate_only, request.force = False, True
    done = await ann.projects.UpdateProjectLabels(request)
    assert [label.name for label in done.project.labels] == ["person"]
    for effects in (asked.effects, done.effects):
        assert [(one.name_before, one.name_after, one.deleted_objects) for one in effects] == [("car", "", 3)]


VALUES = [
    *("", "true", "false", "a", "b", "a\nb", "a\na", "b\nc", "\n", "a\n", "A", " a", "c"),
    *("0", "1", "-1", "+5", "5", "5.0", "05", "7.5", "10", "10.25", "11", ".5", "5.", "1e1", "1E1", "0.1e2"),
    *(
        "1e-31",
        "1e31",
        "1e30",
        "-0",
        "0e9",
        "nan",
        "inf",
        "-Infinity",
        "1,5",
        "0x5",
        "1 0",
        " 5 ",
        "1_0",
        ".",
    ),
    *("1e", "e1", "--1", "5\n", "1e99999999", "0.30", "0.3", "0.1", "0.2000000000000000000000000001", "²"),
]
DEFINITIONS = [
    (AttributeInput.SELECT, ("a", "b")),
    (AttributeInput.RADIO, ("true", "a\nb")),
    (AttributeInput.CHECKBOX, ()),
    (AttributeInput.CHECKBOX, ("false",)),
    (AttributeInput.CHECKBOX, ("a", "b")),
    (AttributeInput.TEXT, ("a",)),
    (AttributeInput.NUMBER, ("0", "10", "5")),
    (AttributeInput.NUMBER, ("-1", "10.25", "0.5")),
    (AttributeInput.NUMBER, ("0", "1e30", "1E-1")),
]


@pytest.mark.parametrize(("kind", "options"), DEFINITIONS)
async def test_the_database_knows_the_rules_of_values(
    scene: Scene, kind: AttributeInput, options: tuple[str, ...]
) -> None:
    """Each value is that of one shape: those are counted that `fault_of` finds fault with."""
    attribute = Attribute(id=scene.colour, name="colour", input=kind, values=options)
    question = Question(rules={scene.car: [attribute]})
    wrong = [value for value in VALUES if attribute.fault_of(value) is not None]
    assert wrong or kind is AttributeInput.TEXT
    await scene.put(scene.job(0), *(scene.box(1) for _ in VALUES))
    await scene.db.execute(
        """
        UPDATE shape
        SET attribute_ids = ARRAY[$1::bigint], attribute_values = ARRAY[given.value]
        FROM unnest($2::text[]) WITH ORDINALITY AS given (value, number),
            (SELECT id, row_number() OVER (ORDER BY id) AS number FROM shape) AS numbered
        WHERE numbered.id = shape.id AND numbered.number = given.number
        """,
        scene.colour,
        VALUES,
    )
    counted = await store.count(scene.db, question)
    assert counted == {scene.car: Counted(misfit_values=len(wrong))}
