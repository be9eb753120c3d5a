"""Settings: one frozen dataclass a process, read once from FRAMEYARD_* variables."""

import dataclasses
import os
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Any, TypeVar

PREFIX = "FRAMEYARD_"

S = TypeVar("S", bound="ProcessSettings")
T = TypeVar("T")


def setting(default: Any = MISSING, doc: str = "", *, secret: bool = False) -> Any:
    """A field of a settings class; without `default` it is required, a secret never shows its value."""
    return dataclasses.field(default=default, repr=not secret, metadata={"doc": doc, "secret": secret})


class SettingsError(ValueError):
    """Every fault of the environment at once, one a line."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("invalid settings:\n" + "\n".join(f"  {fault}" for fault in faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """What every process of the platform needs, also one that keeps nothing."""

    nats_url: str = setting(doc="NATS, nats://host:port.")
    nats_token: str = setting("", "Token for NATS; empty for none.", secret=True)
    s3_endpoint: str = setting(doc="S3, host:port without a scheme.")
    s3_access_key: str = setting(doc="S3 access key.", secret=True)
    s3_secret_key: str = setting(doc="S3 secret key.", secret=True)
    s3_bucket: str = setting("frameyard", "Bucket that holds all objects.")
    s3_region: str = setting("us-east-1", "Region used for S3 signatures.")
    s3_secure: bool = setting(False, "Use TLS to S3.")
    metrics_listen: str = setting("127.0.0.1:0", "Address of /metrics, /healthz and /readyz.")
    identity_address: str = setting("", "host:port of identity, for its keys; empty accepts no token.")
    jwks: str = setting("", "Public keys of tokens as a JSON Web Key Set, used instead of asking identity.")
    service_secret: str = setting("", "Secret with which this service asks identity for tokens.", secret=True)
    log_level: str = setting("info", "debug, info, warning or error.")
    log_format: str = setting("json", "json or console.")
    otlp_endpoint: str = setting("", "OTLP gRPC endpoint for traces; empty exports none.")
    drain_timeout_s: float = setting(25.0, "Time for running calls and handlers to end on SIGTERM, seconds.")
    port_file: str = setting("", "File that receives the bound addresses as JSON once serving.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeSettings(ProcessSettings):
    """What every service with a schema needs; services extend it."""

    database_url: str = setting(doc="Postgres, postgresql://role:password@host:port/database.", secret=True)
    rpc_listen: str = setting("127.0.0.1:0", "Address of the gRPC server; port 0 takes a free one.")
    grant_keys: tuple[str, ...] = setting(
        (), "Keys of media grants, >= 32 characters each; the first signs, all verify.", secret=True
    )
    worker_processes: int = setting(2, "Child processes for CPU work.")
    worker_memory_mib: int = setting(2048, "Memory limit of one child process, MiB.")
    worker_timeout_s: float = setting(600.0, "Time limit of one call in a child process, seconds.")
    reflection: bool = setting(True, "Offer gRPC reflection.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingDoc:
    """One row of a settings table; `default` is None when the setting is required."""

    name: str
    env: str
    type: str
    default: str | None
    doc: str
    secret: bool


def load(cls: type[S], environ: Mapping[str, str] | None = None) -> S:
    """Reads every field from FRAMEYARD_<FIELD>; raises SettingsError that lists all faults."""
    environ = os.environ if environ is None else environ
    hints = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    faults: list[str] = []
    for field in dataclasses.fields(cls):
        text = environ.get(PREFIX + field.name.upper())
        fault = _read(field, hints[field.name], text, values)
        if fault is not None:
            faults.append(fault)
    if faults:
        raise SettingsError(faults)
    return cls(**values)


def parsed(settings: ProcessSettings, name: str, parse: Callable[[Any], T]) -> T:
    """What `parse` makes of a field; SettingsError names the variable if it answers with a ValueError."""
    try:
        return parse(getattr(settings, name))
    except ValueError as fault:
        raise SettingsError([f"{PREFIX}{name.upper()}: {fault}"]) from None


def not_positive(settings: ProcessSettings, names: Iterable[str]) -> list[str]:
    """The faults of those of these fields that leave no room for anything."""
    values = {name: getattr(settings, name) for name in names}
    return [
        f"{PREFIX}{name.upper()}: expected more than 0, got {value}"
        for name, value in values.items()
        if value <= 0
    ]


def describe(cls: type[ProcessSettings]) -> list[SettingDoc]:
    """The settings of `cls` in order, for README tables and the chart test."""
    hints = typing.get_type_hints(cls)
    return [_describe(field, hints[field.name]) for field in dataclasses.fields(cls)]


def _describe(field: dataclasses.Field[Any], hint: Any) -> SettingDoc:
    return SettingDoc(
        name=field.name,
        env=PREFIX + field.name.upper(),
        type=_type_name(hint),
        default=None if field.default is MISSING else _format(field.default),
        doc=field.metadata.get("doc", ""),
        secret=field.metadata.get("secret", False),
    )


def _read(field: dataclasses.Field[Any], hint: Any, text: str | None, values: dict[str, Any]) -> str | None:
    """Puts the parsed value into `values`, or returns what is wrong with it."""
    env = PREFIX + field.name.upper()
    if text is None or (text == "" and field.default is MISSING):
        return f"{env}: required ({_type_name(hint)})" if field.default is MISSING else None
    try:
        values[field.name] = _parse(hint, text)
    except ValueError:
        shown = "<hidden>" if field.metadata.get("secret") else repr(text)
        return f"{env}: expected {_type_name(hint)}, got {shown}"
    return None


def _parse(hint: Any, text: str) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return None if text == "" else _parse(_required_part(hint), text)
    key = typing.get_origin(hint) or hint
    if key is typing.Literal:
        return _parse_choice(typing.get_args(hint), text)
    if key not in _PARSERS:
        raise TypeError(f"settings cannot be of type {_type_name(hint)}")
    return _PARSERS[key](text)


def _required_part(hint: Any) -> Any:
    return next(part for part in typing.get_args(hint) if part is not type(None))


def _parse_bool(text: str) -> bool:
    value = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(text.lower())
    if value is None:
        raise ValueError(text)
    return value


def _parse_choice(choices: tuple[str, ...], text: str) -> str:
    if text not in choices:
        raise ValueError(text)
    return text


def _parse_tuple(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _parse_dict(text: str) -> dict[str, str]:
    result = {}
    for pair in _parse_tuple(text):
        key, equals, value = pair.partition("=")
        if not equals or not key or key in result:
            raise ValueError(pair)
        result[key] = value
    return result


_PARSERS: dict[Any, Callable[[str], Any]] = {
    str: str,
    int: int,
    float: float,
    bool: _parse_bool,
    Path: Path,
    tuple: _parse_tuple,
    dict: _parse_dict,
}


def _type_name(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint)


def _format(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
