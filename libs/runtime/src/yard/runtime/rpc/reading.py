"""Which methods only read: those that a token which only reads lets one call."""

import re
from typing import Final

from yard.runtime import errors
from yard.runtime.auth.principal import Principal

_READS: Final = re.compile(r"(Get|List|Watch|Stream|Download|Read|Diff|Parse|Format|Plan)(?=[A-Z])")
# Those whose names say it in another way.
_ALSO: Final = frozenset(
    {
        "/frameyard.identity.v1.IdentityService/ExchangeAccessToken",
        "/frameyard.identity.v1.IdentityService/ExchangeSessionKey",
        "/frameyard.media.v1.MediaService/ExportManifest",
        "/frameyard.media.v1.UploadService/LocateUploadFile",
    }
)


def only_reads(method: str) -> bool:
    """Whether `/package.Service/Method` changes nothing that anybody could see."""
    return method in _ALSO or _READS.match(method.rpartition("/")[2]) is not None


def check_may_change(caller: Principal, method: str) -> None:
    """PermissionDenied if the token lets its holder only read, and the method does more."""
    if caller.read_only and not only_reads(method):
        raise errors.PermissionDenied("this token lets you only read", reason="READ_ONLY_TOKEN")
