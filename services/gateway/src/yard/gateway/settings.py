"""What the operator decides for the gateway."""

from dataclasses import dataclass

from yard.runtime.settings import ProcessSettings, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """Settings of the gateway."""

    http_listen: str = setting("127.0.0.1:0", "Address of the HTTP server; port 0 takes a free one.")
    task_address: str = setting(doc="host:port of the task service.")
    media_ingest_address: str = setting(doc="host:port of the media service.")
    chunking_address: str = setting(doc="host:port of the chunk service.")
    export_address: str = setting(doc="host:port of the export service.")
    webhook_address: str = setting("", "host:port of the webhook service; empty: there is none.")
    repo_sync_address: str = setting(
        "", "host:port of the service of dataset repositories; empty: there is none."
    )
    public_url: str = setting(
        "", "Address that clients use, https://host; empty: what the request names as its host."
    )
    trusted_proxies: tuple[str, ...] = setting(
        (), "Addresses of proxies whose X-Forwarded-* headers are believed; * for any."
    )
    session_cookie_secure: bool = setting(False, "Send session cookies over https only.")
    cors_origins: tuple[str, ...] = setting((), "Origins whose pages may call the API with credentials.")
    requests_per_minute: int = setting(6_000, "Requests of one person or token a minute; 0: no limit.")
    anonymous_requests_per_minute: int = setting(
        300, "Requests of one address without credentials, or with a password, a minute; 0: no limit."
    )
    max_json_bytes: int = setting(67_108_864, "Largest JSON body, bytes.")
    redirect_to_store: bool = setting(
        False, "Send clients to presigned addresses of the store for chunks and archives that lie there."
    )
    store_public_url: str = setting(
        "", "Address under which clients reach the store, for redirects; empty: as we do."
    )
