"""Logs: one JSON object a line with a static event name and fields; libraries' logs go the same way."""

import logging
import sys
from typing import Any, Literal, TextIO, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

LogFormat = Literal["json", "console"]

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def log(name: str) -> FilteringBoundLogger:
    """A logger; the first argument of its methods is a static event name, what varies are fields."""
    return cast("FilteringBoundLogger", structlog.get_logger(name, module=name))


def configure(service: str, *, level: str, log_format: str, stream: TextIO | None = None) -> None:
    """Sets up this process; libraries below the level of warning stay silent unless `level` is debug."""
    threshold = _LEVELS[level]
    structlog.configure(
        processors=_processors(service, log_format),
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(stream or sys.stdout),
        cache_logger_on_first_use=stream is None,
    )
    root = logging.getLogger()
    root.handlers = [_Forward()]
    root.setLevel(threshold if level == "debug" else max(threshold, logging.WARNING))


def check_level(level: str) -> str:
    """Returns `level` if it is one; ValueError otherwise."""
    if level not in _LEVELS:
        raise ValueError(f"expected one of {', '.join(_LEVELS)}, got {level!r}")
    return level


def _processors(service: str, log_format: str) -> list[Processor]:
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    if log_format == "console":
        return [*shared, structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())]
    # Tracebacks as text: the structured form would carry local variables, and with them secrets.
    return [
        *shared,
        _Named(service),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(sort_keys=False, default=str),
    ]


class _Named:
    """Adds the service to each line."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
        fields["service"] = self._service
        return fields


class _Forward(logging.Handler):
    """Records of libraries as lines of our form; their text is a field, not the event."""

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = {"module": record.name, "text": record.getMessage()}
        if record.exc_info:
            fields["exc_info"] = record.exc_info
        structlog.get_logger().log(record.levelno, "library_message", **fields)
