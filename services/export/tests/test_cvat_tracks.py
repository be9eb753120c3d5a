from dataclasses import replace
from pathlib import Path

import pytest
from yard.annotations.model import Source, Track
from yard.export.formats.cvat import CVAT
from yard.export.formats.cvat_video import CVAT_FOR_VIDEO
from yard.export.formats.format import Format

from services.export.tests.cvat_files import HEAD, META, ROAD, faults, key, of_video, state, tracks
from services.export.tests.intake_scene import imported, tried
from services.export.tests.sample import SUBJECT

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("known", [CVAT_FOR_VIDEO, CVAT], ids=lambda known: known.full_name)
def test_a_video_as_written_by_hand_is_read(known: Format) -> None:
    found = imported(known, (GOLDEN / "cvat_video/annotations.xml").read_bytes(), name="annotations.xml")
    (track,) = found.tracks
    assert (track.source, track.group, track.attributes) == (Source.SEMI_AUTO, 2, {1: "red", 3: "a\nb <"})
    assert [(one.frame, one.outside, one.attributes) for one in track.keyframes] == [
        (0, False, {2: "5.5"}),
        (2, False, {}),
        (3, True, {}),
    ]
    assert [(shape.frame, shape.kind.name) for shape in found.shapes] == [
        (1, "POLYGON"),
        (1, "ELLIPSE"),
        (2, "MASK"),
        (2, "POLYGON"),
        (3, "POLYLINE"),
        (3, "POINTS"),
        (3, "CUBOID"),
        (3, "RECTANGLE"),
    ]


def test_keyframes_alone_are_read_and_interpolated_ones_passed_over() -> None:
    content = tracks(state(10), state(15, keyframe=0, box='xtl="?"'), state(20), more='group_id="3"')
    (track,) = of_video(content).tracks
    assert track == Track(label_id=ROAD, keyframes=(key(0), key(2)), group=3, source=Source.FILE)


def test_a_track_without_keyframes_begins_with_its_first_element() -> None:
    (track,) = of_video(tracks(state(10, keyframe=0), state(15, keyframe=0), state(20, outside=1))).tracks
    assert [keyframe.frame for keyframe in track.keyframes] == [0, 2]


def test_gaps_stay_gaps() -> None:
    content = tracks(state(10), state(15, outside=1), state(20), state(25, outside=1))
    (track,) = of_video(content).tracks
    assert [keyframe.outside for keyframe in track.keyframes] == [False, True, False, True]


@pytest.mark.parametrize("head", [HEAD, HEAD + META], ids=["without range", "with range"])
@pytest.mark.parametrize(
    ("states", "is_shape"),
    [
        ([state(10), state(15, outside=1)], True),
        ([state(10), state(20, outside=1)], False),
        ([state(10), state(15, outside=1, box='xtl="2" ytl="2" xbr="3.5" ybr="4"')], False),
        ([state(10), state(15, keyframe=0), state(20, outside=1)], False),
        # CVAT does not close shapes on the last two frames, older versions close them behind the end.
        ([state(10)], False),
        ([state(15)], False),
        ([state(20)], True),
        ([state(25)], True),
        ([state(20), state(25, keyframe=0)], False),
    ],
)
def test_a_shape_that_was_written_as_a_track_comes_back_as_a_shape(
    states: list[str], is_shape: bool, head: str
) -> None:
    found = of_video(tracks(*states, head=head))
    assert (len(found.shapes), len(found.tracks)) == (int(is_shape), int(not is_shape))


def test_what_is_closed_behind_the_end_of_its_file_is_not_refused() -> None:
    (shape,) = of_video(tracks(state(25), state(30, outside=1), head=HEAD + META)).shapes
    assert shape.frame == 3
    assert [where for where, _ in faults(tracks(state(30), head=HEAD + META))] == ["given.xml:3"]


def test_a_mask_in_a_track_becomes_a_shape_on_each_keyframe() -> None:
    mask = '<mask frame="{}" keyframe="1" outside="{}" rle="0, 4" left="1" top="1" width="2" height="2"/>'
    content = tracks(mask.format(10, 0), mask.format(15, 0), mask.format(20, 1))
    found = tried(CVAT_FOR_VIDEO, content, name="given.xml")
    assert [(shape.frame, shape.points) for shape in found.objects.shapes] == [
        (0, (0, 4, 1, 1, 2, 2)),
        (1, (0, 4, 1, 1, 2, 2)),
    ]
    assert found.ignored == {("track", "masks cannot be tracked: each keyframe becomes a shape"): 1}


def test_mutable_attributes_go_to_keyframes_and_others_to_the_track() -> None:
    def with_values(frame: int, colour: str, speed: str) -> str:
        values = f'<attribute name="colour">{colour}</attribute><attribute name="speed">{speed}</attribute>'
        return state(frame).replace("/>", f">{values}</box>")

    content = tracks(
        with_values(10, "red", "5"),
        with_values(15, "red", "5"),
        with_values(20, "blue", "6"),
        label="car &lt;&amp;&quot;",
    )
    found = tried(CVAT_FOR_VIDEO, content, name="given.xml")
    (track,) = found.objects.tracks
    assert track.attributes == {1: "red"}
    assert [keyframe.attributes for keyframe in track.keyframes] == [{2: "5"}, {}, {2: "6"}]
    assert [kind for kind, _ in found.ignored] == ["attribute"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (tracks(state(12)), "frame 12 of the source is not one of the target"),
        (tracks(state(10), state(10), state(20)), "more than one keyframe"),
        (tracks(state(10).replace('frame="10" ', "")), "frame is missing"),
        (tracks(*[state(10)] * 6), "more keyframes than there are frames"),
        (tracks(state(10), label="Boat"), "there is no label 'Boat'"),
    ],
)
def test_a_wrong_track_is_refused(content: bytes, reason: str) -> None:
    found = faults(content, CVAT_FOR_VIDEO)
    assert found
    assert all(where.startswith("given.xml:") for where, _ in found)
    assert any(reason in text for _, text in found)


def test_tracks_of_several_tasks_are_refused_because_their_frames_have_the_same_numbers() -> None:
    track = '<track id="{0}" label="Straße" task_id="{0}">' + state(10) + state(20) + "</track>"
    one = "<annotations>" + track.format(1) + track.format(1) + "</annotations>"
    assert len(of_video(one.encode()).tracks) == 2
    two = "<annotations>\n" + track.format(1) + "\n" + track.format(2) + "</annotations>"
    ((where, reason),) = faults(two.encode(), CVAT_FOR_VIDEO)
    assert where == "given.xml:3"
    assert reason.startswith("has tracks of several tasks")


def test_a_job_takes_its_own_frames_only() -> None:
    job = replace(SUBJECT, job_id=32, first=2, last=3)
    content = tracks(state(20), state(25, outside=1, box='xtl="2" ytl="2" xbr="3.5" ybr="4"'))
    (track,) = imported(CVAT_FOR_VIDEO, content, job, name="given.xml").tracks
    assert [keyframe.frame for keyframe in track.keyframes] == [2, 3]
    (fault,) = tried(CVAT_FOR_VIDEO, tracks(state(10)), job, name="given.xml").faults
    assert fault.where == "given.xml:3"
