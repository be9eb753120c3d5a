"""Other services are told where a file of a finished upload lies."""

import grpc
import grpc.aio
import pytest
from frameyard.media.v1 import upload_service_pb2 as messages
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth, ids
from yard.testkit.fixtures import OpenChannel

from services.media_ingest.tests.conftest import EXPORT
from services.media_ingest.tests.neighbours import Client


async def test_services_are_told_where_a_file_lies_and_nobody_else(
    ann: Client, running: app.Running[Settings], issuer: auth.TokenIssuer, open_channel: OpenChannel
) -> None:
    export = Client.over(open_channel(running.address, issuer.issue(EXPORT).token))
    upload = await ann.upload({"a/1.zip": b"one", "b.zip": b""})
    first = messages.LocateUploadFileRequest(upload_id=upload.id)
    found = await export.uploads.LocateUploadFile(first)
    content = await running.runtime.blobs.get(found.key, offset=found.offset, length=found.size_bytes)
    assert (found.name, content) == ("a/1.zip", b"one")
    empty = messages.LocateUploadFileRequest(upload_id=upload.id, file_number=1)
    assert (await export.uploads.LocateUploadFile(empty)).size_bytes == 0
    is_open = await ann.open({"c.zip": b"one"})
    for who, upload_id, number in (
        (ann, upload.id, 0),
        (export, upload.id, 2),
        (export, is_open.id, 0),
        (export, str(ids.uuid7()), 0),
        (export, "nonsense", 0),
    ):
        request = messages.LocateUploadFileRequest(upload_id=upload_id, file_number=number)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await who.uploads.LocateUploadFile(request)
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND
