"""What people wished for: told with their work, and names for what they download."""

from collections.abc import Callable

import grpc.aio
import pytest
from frameyard.operation.v1 import operation_pb2
from yard.export.domain import fault_of_file_name
from yard.runtime import errors, rpc

from services.export.tests.callers import ANN, BOB, Client, result_of


async def test_an_operation_tells_what_was_asked_for(client: Callable[[str], Client]) -> None:
    ann = client(ANN)
    queued = await ann.create("COCO 1.0", with_images=True)
    assert dict(queued.parameters) == {"format": "COCO 1.0", "with_images": "true"}
    assert (await ann.ended(queued)).parameters == queued.parameters
    plain = await ann.create("CVAT for images 1.1", job_id=32)
    assert dict(plain.parameters) == {"format": "CVAT for images 1.1", "with_images": "false"}
    await ann.ended(plain)


async def test_each_export_of_one_archive_has_its_own_name(client: Callable[[str], Client]) -> None:
    ann, bob = client(ANN), client(BOB)
    first = await ann.ended(await ann.create("COCO 1.0", file_name="mine ü.zip"))
    assert result_of(first).file_name == "mine ü.zip"
    assert (await ann.download(first.name))[0].file_name == "mine ü.zip"
    other = await bob.ended(await bob.create("COCO 1.0", file_name="his.zip"))
    assert result_of(other).archive == result_of(first).archive
    assert (await bob.download(other.name))[0].file_name == "his.zip"
    plain = await bob.ended(await bob.create("COCO 1.0"))
    assert plain.state == operation_pb2.OPERATION_STATE_SUCCEEDED
    assert result_of(plain).archive == result_of(first).archive
    assert result_of(plain).file_name.startswith("task_night & day_annotations")


async def test_names_with_folders_are_refused_with_all_else(client: Callable[[str], Client]) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client(ANN).create("no format", file_name="../a.zip")
    fault = rpc.errors_from_rpc(caught.value)
    assert isinstance(fault, errors.InvalidArgument)
    assert [violation.field for violation in fault.violations] == ["file_name", "format"]


@pytest.mark.parametrize("name", ["..", ".", "a/b", "a\\b", "a\nb", "x" * 256])
def test_names_that_no_folder_takes_are_refused(name: str) -> None:
    assert fault_of_file_name(name)


@pytest.mark.parametrize("name", ["", "a.zip", "x" * 255, "Datei (1) ü.zip"])
def test_other_names_are_good(name: str) -> None:
    assert fault_of_file_name(name) is None
