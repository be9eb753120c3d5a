"""Names of frames are unique in their subset, however alike those of the sources are."""

import random
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from frameyard.media.v1.media_pb2 import FrameInfo
from frameyard.media.v1.media_service_pb2 import ListFramesResponse
from hypothesis import given
from hypothesis import strategies as st
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.names import Names, numbered, stem
from yard.export.domain import Subject

from services.export.tests.sample import IMAGES, SUBJECT, project_of


def named(*tasks: list[str]) -> list[tuple[str, str]]:
    """Files and items of the frames of tasks in one subset, read by pages of two."""
    names = Names([partial(pages, task) for task in tasks])
    found = []
    for number, task in enumerate(tasks):
        first = 0
        for page in pages(task):
            found += list(zip(*names.of(number, page, first), strict=True))
            first += len(page)
    return found


def pages(names: list[str]) -> Iterator[list[str]]:
    return (names[first : first + 2] for first in range(0, len(names), 2))


def test_items_have_no_extension_unless_two_would_be_alike() -> None:
    files = [
        "a/x.png",
        "b/x.png",
        "dup.png",
        "dup.JPG",
        "v1.0/y",
        "with.dots.v1.jpg",
        "z.png.jpg",
        "z.png",
        ".png",
    ]
    items = ["a/x", "b/x", "dup.png", "dup.JPG", "v1.0/y", "with.dots.v1", "z.png.jpg", "z", ".png"]
    assert named(files) == list(zip(files, items, strict=True))


def test_names_that_several_tasks_have_are_numbered_by_task() -> None:
    found = named(["a.png", "b.png", "a_1.png"], ["b.png", "a.png"], ["a.png", "a_1.png", "c.d/e"], ["c.d/e"])
    assert [file for file, _ in found] == [
        "a.png", "b.png", "a_1.png", "b_1.png", "a_2.png", "a_3.png", "a_1_1.png", "c.d/e", "c.d/e_1",
    ]  # fmt: skip


parts = st.sampled_from(["a", "b", "a_1", "a.b", "_1", "1", "ä"])
names_of_tasks = st.lists(
    st.lists(
        st.builds(
            "{}{}.{}".format,
            st.sampled_from(["", "f/", "f.x/"]),
            parts,
            st.sampled_from(["png", "jpg", "PNG"]),
        )
        | parts,
        max_size=7,
        unique=True,
    ),
    min_size=1,
    max_size=4,
)


@given(names_of_tasks)
def test_names_and_items_are_unique_and_the_same_each_time(tasks: list[list[str]]) -> None:
    found = named(*tasks)
    assert len({file for file, _ in found}) == len({item for _, item in found}) == len(found)
    assert all(item in (file, stem(file)) for file, item in found)
    given_names = [name for task in tasks for name in task]
    first_ones = {name: given_names.index(name) for name in given_names}
    assert all(found[place][0] == name for name, place in first_ones.items())
    assert all(
        file == name or any(file == numbered(name, number) for number in range(1, 40))
        for (file, _), name in zip(found, given_names, strict=True)
    )
    assert named(*tasks) == found


def test_a_project_names_the_frames_of_its_tasks_by_subset() -> None:
    subsets = ["train", "train", "", "train"]
    tasks = tuple(replace(IMAGES, task_id=number, subset=subset) for number, subset in enumerate(subsets))
    tasks = (*tasks[:3], replace(tasks[3], mode="interpolation", deleted=((0, 0),)))
    with project(*tasks) as made:
        for part in made.parts:
            names = ["frame_0", "frame_1"] if part.is_video else ["a.png", "b.png"]
            infos = [FrameInfo(frame=number, name=name) for number, name in enumerate(names)]
            part.add_frames(ListFramesResponse(frames=infos))
        found = [(frame.part, frame.name, frame.file_name, frame.item) for frame in made.frames("train")]
        assert found == [
            (0, "a.png", "a.png", "a"),
            (0, "b.png", "b.png", "b"),
            (1, "a_1.png", "a_1.png", "a_1"),
            (1, "b_1.png", "b_1.png", "b_1"),
            (3, "frame_1", "frame_1.PNG", "frame_1"),
        ]
        assert [frame.file_name for frame in made.frames("default")] == ["a.png", "b.png"]
        assert made.parts[3].shown_from(0) == 1
        assert made.parts[3].shown_from(SUBJECT.last + 1) is None


def project(*tasks: Subject) -> Dataset:
    return Dataset(project_of(tasks), 1000)


def test_many_names_take_little_memory() -> None:
    """A set of so many names would take 10 MB."""

    def many() -> Iterator[list[str]]:
        for first in range(0, 100_000, 10_000):
            yield [f"folder/{number:07}.jpg" for number in range(first, first + 10_000)]

    chance = random.Random(1)
    names = Names([many, many])
    tracemalloc.start()
    files, _ = names.of(1, ["folder/0000000.jpg", f"folder/{chance.randrange(1, 9):07}.jpg"], 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert files[0] == "folder/0000000_1.jpg"
    assert peak < 12_000_000
