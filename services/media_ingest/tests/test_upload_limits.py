import grpc.aio
import pytest
from frameyard.media.v1 import upload_service_pb2 as messages
from yard.media_ingest.settings import Settings
from yard.runtime import auth, errors
from yard.runtime.rpc import errors_from_rpc
from yard.testkit.fixtures import SettingsFor

from services.media_ingest.tests.neighbours import Client


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks, upload_max_bytes=100, upload_quota_bytes=150)


async def refusal(client: Client, size: int) -> errors.YardError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.open({"a.bin": bytes(size)})
    return errors_from_rpc(caught.value)


async def test_a_file_has_a_limit(ann: Client) -> None:
    fault = await refusal(ann, 101)
    assert isinstance(fault, errors.InvalidArgument)
    assert fault.violations == (errors.Violation("files[0].size_bytes", "must be 0 to 100, got 101"),)


async def test_a_user_has_a_quota_that_deleting_gives_back(ann: Client, ben: Client) -> None:
    upload = await ann.upload({"a.bin": bytes(100)})
    fault = await refusal(ann, 51)
    assert isinstance(fault, errors.ResourceExhausted)
    assert fault.reason == "UPLOAD_QUOTA"
    await ann.open({"a.bin": bytes(50)})
    await ben.open({"a.bin": bytes(100)})
    await ann.uploads.DeleteUpload(messages.DeleteUploadRequest(id=upload.id))
    await ann.open({"a.bin": bytes(100)})
