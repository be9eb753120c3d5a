"""Addresses to which others send parts of an object themselves, and from which they read objects."""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from minio import Minio
from yard.runtime.blobs.values import check_key
from yard.runtime.settings import ProcessSettings, SettingsError


class PartAddresses:
    """Signs for the address by which clients reach the store; it is never called from here."""

    def __init__(self, client: Minio, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    @classmethod
    def connect(cls, settings: ProcessSettings, address: str) -> "PartAddresses":
        """For `address` (http://host:port or https://host); SettingsError if it is none."""
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            raise SettingsError([f"the public address of S3: expected http(s)://host:port, got {address!r}"])
        client = Minio(
            parts.netloc,
            access_key=settings.s3_access_key,
            secret_key=settings.s3_secret_key,
            secure=parts.scheme == "https",
            region=settings.s3_region,
        )
        return cls(client, settings.s3_bucket)

    def put(self, key: str, upload: str, number: int, ttl_s: int) -> str:
        """A URL that takes this part by PUT until `ttl_s` from now. It is a secret: never log it."""
        return self._client.get_presigned_url(
            "PUT",
            self._bucket,
            check_key(key),
            timedelta(seconds=ttl_s),
            extra_query_params={"partNumber": str(number), "uploadId": upload},
        )

    def get(self, key: str, ttl_s: int, answered: Mapping[str, str] | None = None) -> str:
        """A URL that reads this object until `ttl_s` from now. It is a secret: never log it.

        `answered` are headers that the store is to answer with: Content-Type, Content-Disposition.
        """
        overrides: dict[str, str | list[str] | tuple[str]] = {
            f"response-{name.lower()}": value for name, value in (answered or {}).items()
        }
        return self._client.get_presigned_url(
            "GET",
            self._bucket,
            check_key(key),
            timedelta(seconds=ttl_s),
            extra_query_params=overrides or None,
        )
