"""The contract of formats: whoever adds one adds a line to the table, and all of this is asked of it."""

import io
import unicodedata
import zipfile
from pathlib import Path

import pytest
from yard.annotations.model import ShapeKind
from yard.export.domain import LeftOut
from yard.export.formats import FORMATS
from yard.export.formats.format import Format
from yard.media.member_names import label_of

from services.export.tests import contract
from services.export.tests.scenes import PROJECT, SCENES, Scene

GOLDEN = Path(__file__).parent / "golden"
KINDS = {kind.name.lower() for kind in ShapeKind}
each_format = pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.full_name)
each_scene = pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)


@each_format
def test_has_a_golden_folder_named_after_its_module(known: Format) -> None:
    assert any((GOLDEN / known.write.__module__.rpartition(".")[2]).iterdir())


@each_format
@pytest.mark.parametrize("scene", [*SCENES, PROJECT], ids=lambda scene: scene.name)
def test_an_archive_is_the_same_each_time_and_any_tool_unpacks_it(known: Format, scene: Scene) -> None:
    content, _ = contract.exported(known, scene, with_images=True)
    assert content == contract.exported(known, scene, with_images=True)[0]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
    assert names
    assert len(names) == len(set(names))
    assert [label_of(name) for name in names] == names
    assert [unicodedata.normalize("NFC", name) for name in names] == names


@each_format
@pytest.mark.parametrize("scene", [*SCENES, PROJECT], ids=lambda scene: scene.name)
def test_an_archive_holds_the_picture_of_each_frame_once(known: Format, scene: Scene) -> None:
    content, _ = contract.exported(known, scene, with_images=True)
    bare, _ = contract.exported(known, scene)
    with scene.dataset(with_images=True) as made:
        assert made.image is not None
        wanted = sorted(b"".join(made.image(frame)) for frame in made.frames())
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(io.BytesIO(bare)) as without:
        added = set(archive.namelist()) - set(without.namelist())
        found = sorted(archive.read(name) for name in added)
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert found == wanted or (not added and all(everything.count(picture) == 1 for picture in wanted))


@each_format
@each_scene
def test_its_own_export_gives_back_what_it_says_that_it_holds(known: Format, scene: Scene) -> None:
    (task,) = scene.tasks
    content, left_out = contract.exported(known, scene)
    found = contract.read(known, content, contract.target(task))
    assert (found.faults, dict(found.ignored)) == ([], {})
    told = counted(left_out)
    back = contract.compared(known, task, found.objects, told)
    assert back.missing == []
    # What was counted may have become something simpler, nothing else may appear.
    simpler = {"mask", "rectangle"} if told.keys() & KINDS else set()
    assert {one.kind for one in back.added} <= simpler


@each_format
@each_scene
def test_tracks_come_back_or_are_counted(known: Format, scene: Scene) -> None:
    (task,) = scene.tasks
    content, left_out = contract.exported(known, scene)
    if "track" in known.holds:
        found = contract.read(known, content, contract.target(task)).objects
        assert len(found.tracks) >= len(task.objects.tracks)
    elif task.objects.tracks:
        assert counted(left_out)["track"] == len(task.objects.tracks)


@each_format
@each_scene
def test_what_is_not_held_is_counted_with_a_reason(known: Format, scene: Scene) -> None:
    (task,) = scene.tasks
    _, left_out = contract.exported(known, scene)
    assert all(one.count > 0 and len(one.reason) > 10 for one in left_out)
    kinds = {shape.kind.name.lower() for shape in task.objects.shapes}
    kinds |= {"tag"} if task.objects.tags else set()
    assert kinds - set(known.holds) <= set(counted(left_out))
    tags = task.objects.tags
    held = [one for one in task.objects.shapes if one.kind.name.lower() in known.holds]
    properties = {
        "attributes": any(one.attributes for one in held),
        "group": any(one.group for one in held) or ("tag" in known.holds and any(one.group for one in tags)),
        "occluded": any(one.occluded for one in held),
        "rotation": any(one.rotation for one in held),
        "z_order": any(one.z_order for one in held),
    }
    unkept = {name for name, is_there in properties.items() if is_there and name not in known.keeps}
    assert {contract.SINGULAR.get(name, name) for name in unkept} <= set(counted(left_out))


def counted(left_out: list[LeftOut]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in left_out:
        found[one.kind] = found.get(one.kind, 0) + one.count
    return found
