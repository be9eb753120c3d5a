from pathlib import Path

from frameyard.media.v1 import media_pb2
from yard.client.cli.data import MediaOptions


def test_parameters_that_are_left_out_stay_unset() -> None:
    spec = MediaOptions(paths=[Path("x")]).spec("an-id")
    assert spec == media_pb2.DataSpec(
        sources=[media_pb2.MediaSource(upload=media_pb2.UploadSource(upload_id="an-id"))]
    )


def test_zero_and_false_are_values() -> None:
    spec = MediaOptions(parameters={"stop_frame": 0, "use_cache": False}).spec("")
    assert spec.HasField("stop_frame")
    assert spec.HasField("use_cache")
    assert not spec.HasField("start_frame")


def test_paths_of_one_share_are_one_source() -> None:
    media = MediaOptions(
        shares=["archive:a", "disk:x", "archive:b:c"], exclude=["*.txt"], urls=["https://x/y"]
    )
    assert [source.WhichOneof("origin") for source in media.spec("").sources] == ["share", "share", "remote"]
    archive = media.spec("").sources[0].share
    assert (archive.share, list(archive.paths), list(archive.exclude)) == ("archive", ["a", "b:c"], ["*.txt"])
