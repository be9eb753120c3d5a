"""How the methods of media and chunks are called: by method and case."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from frameyard.chunk.v1 import chunk_peer_service_pb2 as peer
from frameyard.chunk.v1 import chunk_service_pb2 as chunk
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.media.v1 import media_pb2
from frameyard.media.v1 import media_service_pb2 as media
from frameyard.media.v1 import share_service_pb2 as share
from frameyard.media.v1 import upload_service_pb2 as upload

from tests.rights import parts
from tests.rights.calling import Call
from tests.rights.media import FILM_FRAMES
from tests.rights.platform import SHARE
from tests.rights.scene import Scene
from tests.rights.table import SERVICE, Row

_JOB: Final = "of the job, by a grant"
_TASK: Final = "by a grant of the task"


def _file(scene: Scene) -> Sequence[upload.UploadFileRequest]:
    header = upload.UploadFileHeader(upload_id=scene.upload)
    return [upload.UploadFileRequest(header=header), upload.UploadFileRequest(content=parts.CONTENT)]


def _files(scene: Scene) -> Sequence[upload.UploadFilesRequest]:
    return [
        upload.UploadFilesRequest(upload_id=scene.upload),
        upload.UploadFilesRequest(entry=upload.UploadFilesEntry()),
        upload.UploadFilesRequest(content=parts.CONTENT),
    ]


UPLOAD_CALLS: Final = {
    ("media.v1.UploadService/CreateUpload", ""): Call(
        request=lambda _: upload.CreateUploadRequest(files=[upload.NewUploadFile(name="a", size_bytes=1)]),
        has_target=False,
    ),
    ("media.v1.UploadService/AddUploadFiles", ""): Call(
        request=lambda scene: upload.AddUploadFilesRequest(
            upload_id=scene.upload, files=[upload.NewUploadFile(name="b", size_bytes=1)]
        ),
        parts=(parts.upload,),
    ),
    ("media.v1.UploadService/RemoveUploadFile", ""): Call(
        request=lambda scene: upload.RemoveUploadFileRequest(upload_id=scene.upload), parts=(parts.upload,)
    ),
    ("media.v1.UploadService/GetUploadFile", ""): Call(
        request=lambda scene: upload.GetUploadFileRequest(upload_id=scene.upload), parts=(parts.upload,)
    ),
    ("media.v1.UploadService/UploadFile", ""): Call(request=_file, parts=(parts.upload,)),
    ("media.v1.UploadService/UploadFiles", ""): Call(request=_files, parts=(parts.upload,)),
    ("media.v1.UploadService/PresignParts", ""): Call(
        request=lambda scene: upload.PresignPartsRequest(upload_id=scene.upload, first_part=1, part_count=1),
        parts=(parts.upload,),
    ),
    # No part has come: the store says so to whom the upload belongs.
    ("media.v1.UploadService/CompleteParts", ""): Call(
        request=lambda scene: upload.CompletePartsRequest(
            upload_id=scene.upload, parts=[upload.StoredPart(number=1, etag="a")]
        ),
        parts=(parts.parts_begun,),
        lets_in=frozenset({"INVALID_ARGUMENT"}),
    ),
    ("media.v1.UploadService/GetUpload", ""): Call(
        request=lambda scene: upload.GetUploadRequest(id=scene.upload), parts=(parts.upload,)
    ),
    ("media.v1.UploadService/FinishUpload", ""): Call(
        request=lambda scene: upload.FinishUploadRequest(id=scene.upload), parts=(parts.complete_upload,)
    ),
    ("media.v1.UploadService/LocateUploadFile", ""): Call(
        request=lambda scene: upload.LocateUploadFileRequest(upload_id=scene.upload),
        parts=(parts.finished_upload,),
    ),
    ("media.v1.MediaService/StreamMediaFiles", ""): Call(
        request=lambda scene: media.StreamMediaFilesRequest(media_id=scene.media),
        parts=(parts.grant_of_task,),
    ),
    ("media.v1.UploadService/DeleteUpload", ""): Call(
        request=lambda scene: upload.DeleteUploadRequest(id=scene.upload), parts=(parts.upload,)
    ),
}

SHARE_CALLS: Final = {
    ("media.v1.ShareService/ListShares", ""): Call(
        request=lambda _: share.ListSharesRequest(),
        shows=lambda found, _: [each.name for each in found.shares] == [SHARE],
        has_target=False,
    ),
    ("media.v1.ShareService/ListShareEntries", ""): Call(
        request=lambda _: share.ListShareEntriesRequest(share=SHARE),
        shows=lambda found, _: bool(found.entries),
        has_target=False,
    ),
}

# Of these, those who may see any frame of media may ask.
_OF_ANY: Final = {
    "media.v1.MediaService/GetMedia": lambda scene: media.GetMediaRequest(
        media_id=scene.media, grant=scene.grant
    ),
    "chunk.v1.ChunkService/ListCorruptFrames": lambda scene: chunk.ListCorruptFramesRequest(
        media_id=scene.media, grant=scene.grant
    ),
    "chunk.v1.ChunkService/GetBuildStatus": lambda scene: chunk.GetBuildStatusRequest(
        media_id=scene.media, grant=scene.grant
    ),
}
# Of these, those who may see just these frames.
_OF_FRAMES: Final = {
    "media.v1.MediaService/ListFrames": lambda scene: media.ListFramesRequest(
        media_id=scene.media, grant=scene.grant, last=9
    ),
    "chunk.v1.ChunkService/GetChunk": lambda scene: chunk.GetChunkRequest(
        media_id=scene.media, grant=scene.grant, number=0
    ),
    "chunk.v1.ChunkService/GetFrame": lambda scene: chunk.GetFrameRequest(
        media_id=scene.media, grant=scene.grant, frame=9
    ),
    "chunk.v1.ChunkService/GetPreview": lambda scene: chunk.GetPreviewRequest(
        media_id=scene.media, grant=scene.grant, frame=9
    ),
}
_OF_ALL: Final = {
    "media.v1.MediaService/ListFileResults": lambda scene: media.ListFileResultsRequest(
        media_id=scene.media, grant=scene.grant
    ),
    "media.v1.MediaService/ExportManifest": lambda scene: media.ExportManifestRequest(
        media_id=scene.media, grant=scene.grant
    ),
}
_BY_GRANT: Final = {
    **{
        (method, _JOB): Call(request=request, parts=(parts.grant_of_job,))
        for method, request in (_OF_ANY | _OF_FRAMES).items()
    },
    **{
        (method, _TASK): Call(request=request, parts=(parts.grant_of_task,))
        for method, request in _OF_ALL.items()
    },
}
_PEER_CALLS: Final = {
    # Its answer for what nobody builds is the one for who may not ask.
    ("chunk.v1.ChunkPeerService/ReadBuilding", "among replicas of chunking"): Call(
        request=lambda scene: peer.ReadBuildingRequest(
            media_id=scene.media,
            frames=FrameRange(first=0, last=FILM_FRAMES - 1),
            quality=chunk.QUALITY_COMPRESSED,
            format=media_pb2.CHUNK_FORMAT_ZIP,
        ),
        parts=(parts.building,),
        alone=True,
    ),
}

MEDIA_CALLS: Final = {**UPLOAD_CALLS, **SHARE_CALLS, **_BY_GRANT, **_PEER_CALLS}

# Grants that open nothing: who asks with them is told what who asks without is.
_USELESS: Final = {
    "by a grant of other media": parts.grant_of_other_media,
    "by a grant of another person": parts.grant_of_another,
    "by a grant that has ended": parts.grant_that_has_ended,
    "by a grant that is forged": parts.grant_that_is_forged,
}
_OF_OTHER_FRAMES: Final = "by a grant of other frames"
USELESS_GRANT_CALLS: Final = {
    **{
        (method, case): replace(call, parts=(part,))
        for (method, _), call in _BY_GRANT.items()
        for case, part in _USELESS.items()
    },
    **{
        (method, _OF_OTHER_FRAMES): Call(request=request, parts=(parts.grant_of_other_frames,))
        for method, request in (_OF_FRAMES | _OF_ALL).items()
    },
}
USELESS_GRANTS: Final = [Row(method=method, case=case, yes=SERVICE) for method, case in USELESS_GRANT_CALLS]
