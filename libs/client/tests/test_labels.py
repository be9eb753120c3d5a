from pathlib import Path

import pytest
from frameyard.task.v1 import label_pb2
from yard.client.cli.labels import effect_lines, labels_of, lines_of, parse_label, read_labels
from yard.client.failures import ClientError


def test_a_name_alone_is_a_label_for_all_kinds() -> None:
    assert parse_label("car") == label_pb2.Label(name="car", kind=label_pb2.LABEL_KIND_ANY)


def test_kind_and_attributes() -> None:
    label = parse_label("car:rectangle:colour=select[red, blue],parked=~checkbox,speed=number[0,10,0.5]")
    assert label == label_pb2.Label(
        name="car",
        kind=label_pb2.LABEL_KIND_RECTANGLE,
        attributes=[
            label_pb2.Attribute(
                name="colour", input=label_pb2.ATTRIBUTE_INPUT_SELECT, values=["red", "blue"]
            ),
            label_pb2.Attribute(name="parked", input=label_pb2.ATTRIBUTE_INPUT_CHECKBOX, mutable=True),
            label_pb2.Attribute(
                name="speed", input=label_pb2.ATTRIBUTE_INPUT_NUMBER, values=["0", "10", "0.5"]
            ),
        ],
    )


def test_values_may_hold_colons() -> None:
    [attribute] = parse_label("car:any:seen=select[10:30,11:00]").attributes
    assert list(attribute.values) == ["10:30", "11:00"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("car:blob", "'blob' is no kind of label; known are any, rectangle"),
        ("car:unspecified", "'unspecified' is no kind"),
        ("car:colour=menu[a]", "'menu' is no input of an attribute; known are select"),
        ("car:colour=select[a", "'colour=select[a' is not an attribute"),
        ("car:=select", "'=select' is not an attribute"),
        ("car:", "'' is no kind of label"),
    ],
)
def test_what_is_not_understood_is_named(text: str, told: str) -> None:
    with pytest.raises(ClientError, match="not understood") as caught:
        labels_of([text], None)
    assert told in caught.value.violations[0].description
    assert caught.value.violations[0].field == "--label"


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ClientError) as caught:
        labels_of(["car:blob", "person", "tree:thing"], None)
    assert [each.description.partition(":")[0] for each in caught.value.violations] == [
        "'car",
        "'tree",
    ]


def test_labels_from_a_file_come_after_those_given(tmp_path: Path) -> None:
    file = tmp_path / "labels.json"
    file.write_text('[{"name": "tree", "kind": "LABEL_KIND_POLYGON", "color": "#00ff00"}]')
    assert [label.name for label in labels_of(["car"], file)] == ["car", "tree"]
    assert read_labels(file)[0].color == "#00ff00"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[{", "cannot be read as JSON"),
        ('{"name": "car"}', "not a list of labels"),
        ('[{"name": "car"}, {"nom": "tree"}]', "labels[1]"),
        ('[{"name": 3}]', "labels[0]"),
        ('["car"]', "labels[0]"),
        ('[{"name": "car", "kind": "BLOB"}]', "labels[0]"),
    ],
)
def test_a_file_that_is_not_labels_is_named(tmp_path: Path, content: str, told: str) -> None:
    file = tmp_path / "labels.json"
    file.write_text(content)
    with pytest.raises(ClientError) as caught:
        read_labels(file)
    assert all(str(file) in line for line in caught.value.faults())
    assert told in caught.value.faults()[0]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match=r"nothing\.json"):
        read_labels(tmp_path / "nothing.json")


def test_labels_in_words_show_the_ids_that_annotations_need() -> None:
    label = parse_label("car:rectangle:colour=~select[red,blue]")
    label.id, label.color, label.attributes[0].id = 7, "#ff0000", 9
    assert lines_of([label]) == [
        "  label 7: car (rectangle) #ff0000",
        "    attribute 9: colour (select, mutable) [red, blue]",
    ]


def test_a_kind_of_a_newer_platform_is_shown_as_number() -> None:
    [line] = lines_of([label_pb2.Label(id=1, name="car", kind=99)])  # type: ignore[arg-type]
    assert line == "  label 1: car (99)"


def test_effects_in_words_say_what_becomes_of_objects() -> None:
    effects = [
        label_pb2.LabelEffect(label_id=1, name_before="car", deleted_objects=1),
        label_pb2.LabelEffect(label_id=2, name_before="man", name_after="human", misfit_objects=3),
        label_pb2.LabelEffect(
            label_id=3, name_before="tree", name_after="tree", stripped_objects=2, misfit_values=1
        ),
        label_pb2.LabelEffect(label_id=4, name_before="sky", name_after="sky"),
        label_pb2.LabelEffect(name_after="bus"),
    ]
    assert effect_lines(effects) == [
        "label 1: car goes; objects that go with it: 1",
        "label 2: man, from now on human; objects that stay, although it is not for their kind: 3",
        "label 3: tree; objects that lose a value: 2; objects with a value that is not allowed any more: 1",
        "label 4: sky; no objects are concerned",
        "label bus: new",
    ]
    assert effect_lines([]) == ["nothing changes"]
