"""What every format's reader does with a damaged or hostile file: it refuses it, and says where."""

import importlib
import io
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL import ImageFile
from yard.annotations.labels import LabelSchema
from yard.export.formats import FORMATS
from yard.export.formats.format import Format
from yard.media.budget import ArchiveLimits

from services.export.tests import contract
from services.export.tests.intake_scene import archived
from services.export.tests.oracles import unzipped
from services.export.tests.scenes import CAR, MASK, RING, ROAD, Scene, box, images, key, shape, track, video

each_format = pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.full_name)
LIMITS = ArchiveLimits(member_bytes=1 << 20, total_bytes=1 << 22, members=100)
BOXES = images("boxes", box(0), box(3, label_id=9), shape(2, MASK, *RING))
MOVING = video("moving", track(key(0), key(7, 9, 9, 25, 25)), box(7))


def scene_for(known: Format) -> Scene:
    return MOVING if known.for_interpolation and not known.for_annotation else BOXES


def refused(known: Format, content: bytes, scene: Scene, limits: ArchiveLimits = LIMITS) -> list[str]:
    found = contract.read(known, content, contract.target(scene.tasks[0]), limits=limits)
    assert found.faults
    assert all(fault.where and fault.reason for fault in found.faults)
    return [f"{fault.where}: {fault.reason}" for fault in found.faults]


def main_file(files: dict[str, bytes]) -> str:
    """The largest file but for lists of names: where objects are."""
    return max(files, key=lambda name: (name not in ("train.txt", "obj.data"), len(files[name])))


def test_pictures_of_tasks_may_end_early_which_files_to_import_must_not() -> None:
    importlib.import_module("yard.media.decode_image")
    assert ImageFile.LOAD_TRUNCATED_IMAGES


def test_limits_are_tighter_than_what_is_exported() -> None:
    content, _ = contract.exported(FORMATS[0], BOXES)
    assert len(content) < LIMITS.member_bytes


@each_format
def test_a_label_that_the_task_has_not_is_refused_by_name(known: Format) -> None:
    scene = scene_for(known)
    content, _ = contract.exported(known, scene)
    (task,) = scene.tasks
    into = replace(
        contract.target(task), labels=LabelSchema([replace(ROAD, name="other"), replace(CAR, name="x")])
    )
    faults = contract.read(known, content, into).faults
    assert any("Straße" in fault.reason or "car" in fault.reason for fault in faults)
    assert all(fault.where for fault in faults)


@each_format
def test_frames_that_the_task_has_not_are_refused(known: Format) -> None:
    scene = scene_for(known)
    content, _ = contract.exported(known, scene)
    (task,) = scene.tasks
    shorter = replace(task, subject=replace(task.subject, last=1))
    assert refused(known, content, Scene(name="", tasks=(shorter,)))


@each_format
@pytest.mark.parametrize("share", [0.1, 0.5, 0.97])
def test_a_truncated_archive_is_refused(known: Format, share: float) -> None:
    content, _ = contract.exported(known, scene_for(known))
    assert refused(known, content[: int(len(content) * share)], scene_for(known))


@each_format
def test_a_truncated_file_in_a_sound_archive_is_refused(known: Format) -> None:
    files = unzipped(contract.exported(known, scene_for(known))[0])
    name = main_file(files)
    # Enough to lose a number of a line, and some of what a PNG holds before its end.
    files[name] = files[name].rstrip()[: -30 if name.endswith(".png") else -9]
    assert refused(known, archived(files), scene_for(known))


@each_format
def test_a_changed_byte_is_refused(known: Format) -> None:
    files = unzipped(contract.exported(known, scene_for(known))[0])
    name = main_file(files)
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        for each, content in files.items():
            archive.writestr(each, content)
    changed = bytearray(stored.getvalue())
    changed[changed.index(files[name]) + len(files[name]) // 2] ^= 1
    faults = refused(known, bytes(changed), scene_for(known))
    assert any("checksum" in fault or name in fault for fault in faults)


@each_format
@pytest.mark.parametrize("name", ["../evil.txt", "/etc/passwd", "a/../../b.xml", "C:\\x\\y.json"])
def test_names_that_lead_out_are_refused_before_anything_is_read(known: Format, name: str) -> None:
    files = unzipped(contract.exported(known, scene_for(known))[0])
    faults = refused(known, archived({name: b"x", **files}), scene_for(known))
    assert len(faults) == 1


@each_format
def test_a_bomb_is_refused_before_it_is_unpacked(known: Format) -> None:
    files = unzipped(contract.exported(known, scene_for(known))[0])
    name = main_file(files)
    files[name] = bytes(8 << 20)
    assert refused(known, archived(files), scene_for(known))


@each_format
def test_a_bomb_that_lies_about_its_size_is_refused(known: Format) -> None:
    files = unzipped(contract.exported(known, scene_for(known))[0])
    name = main_file(files)
    size = (8 << 20) + 12_345
    files[name] = bytes(size)
    content = archived(files)
    assert content.count(struct.pack("<I", size)) == 2
    assert refused(known, content.replace(struct.pack("<I", size), struct.pack("<I", 5000)), scene_for(known))


@each_format
def test_too_many_members_are_refused(known: Format) -> None:
    files = unzipped(contract.exported(known, scene_for(known))[0])
    files |= {f"images/{number}.png": b"" for number in range(101)}
    assert any(
        "101" in fault or "100" in fault for fault in refused(known, archived(files), scene_for(known))
    )


@each_format
@pytest.mark.parametrize(
    "content", [b"", b"\0" * 100, b"PK\x05\x06" + bytes(18), b"PK\x03\x04" + b"\xff" * 60]
)
def test_what_is_no_archive_is_refused(known: Format, content: bytes) -> None:
    assert refused(known, content, scene_for(known))


@each_format
def test_noise_in_each_file_is_refused_and_breaks_nothing(known: Format) -> None:
    files = unzipped(contract.exported(known, scene_for(known))[0])
    for name, noise in _noisy(files):
        found = contract.read(
            known, archived({**files, name: noise}), contract.target(scene_for(known).tasks[0])
        )
        assert found.faults or name != main_file(files)


def _noisy(files: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    for name in files:
        for noise in (b"\xff\xfe" * 40, b"<" * 500, b"[" * 5000, b"{" * 5000, bytes(range(256))):
            yield name, noise
