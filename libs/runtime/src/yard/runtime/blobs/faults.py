"""Faults of the store and of the way to it, as errors of our tree."""

from collections.abc import Iterator
from contextlib import contextmanager

import urllib3.exceptions
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from yard.runtime import errors

_BUSY = frozenset({"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "OperationAborted"})


@contextmanager
def mapped(key: str) -> Iterator[None]:
    """Turns what the S3 client raises about `key` into errors of our tree."""
    try:
        yield
    except S3Error as fault:
        raise _from_code(fault, key) from fault
    except (urllib3.exceptions.HTTPError, InvalidResponseError, ServerError, OSError) as fault:
        raise errors.Unavailable(
            "the object store does not answer", metadata={"fault": type(fault).__name__}
        ) from fault
    except MinioException as fault:
        raise errors.Internal("the object store gave an answer that we do not understand") from fault


def _from_code(fault: S3Error, key: str) -> errors.YardError:
    code = fault.code or ""
    if code in ("NoSuchKey", "NoSuchUpload"):
        return errors.NotFound("blob", key)
    if code == "PreconditionFailed":
        return errors.AlreadyExists(f"blob {key} exists", metadata={"key": key})
    if code in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
        return errors.AlreadyExists("the bucket exists")
    if code == "InvalidRange":
        return errors.OutOfRange(f"the range lies outside of blob {key}", metadata={"key": key})
    if code in _BUSY or fault.response.status >= 500:
        return errors.Unavailable("the object store is busy", metadata={"code": code})
    return errors.Internal("the object store refused the call", metadata={"code": code, "key": key})
