"""structlog: one line per unit of work; JSON in production, columns on a terminal.

Only fields on a closed list are printed, so a careless call cannot leak: an unknown field is dropped and its name is logged.
Lines of other libraries come without their message, because those hold addresses with tokens.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO, cast

import msgspec
import structlog


class _Forgiving:
    """A stream that loses a line rather than fail: a full disk under the log must not stop the work that is told of."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()


_ENCODER = msgspec.json.Encoder(enc_hook=str)
_sinks: list[_Forgiving] = []  # where lines of JSON go; empty when lines are not JSON or not wanted

FIELDS = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "source",
        "action",
        "attempt",
        "came",
        "connection_id",
        "count",
        "delivery_id",
        "differences",
        "duration_ms",
        "error_code",
        "error_type",
        "event_id",
        "facts",
        "frames",
        "integration",
        "kind",
        "lane_kind",
        "lead_id",
        "listen",
        "method",
        "outcome",
        "request_id",
        "role",
        "route",
        "status",
        "unknown_fields",
        "version",
    }
)
"""Every field that may stand in a log line. All of them are identifiers, counts, codes or times."""


def get_logger(name: str) -> Any:  # noqa: ANN401 -- structlog types its loggers so
    """A logger whose lines carry `source=name`."""
    return structlog.get_logger(source=name)


def configure_logs(*, stream: TextIO | None = None, as_json: bool | None = None) -> None:
    """Send every line to `stream` (default standard error); `as_json` None means: columns on a terminal, else JSON."""
    target = stream or sys.stderr
    sink = _Forgiving(target)
    _sinks[:] = [sink]
    renderer: Any = _render_json
    if as_json is False or (as_json is None and target.isatty()):
        renderer = structlog.dev.ConsoleRenderer(colors=target.isatty())
        _sinks.clear()
    structlog.configure(
        processors=[
            _stamp,
            _describe_exception,
            _drop_unknown_fields,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", sink)),
        cache_logger_on_first_use=True,
    )
    _tame_libraries(target)


def silence_logs() -> None:
    """Print errors only: a command says itself what it did."""
    configure_logs()
    _sinks.clear()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def write_lines(lines: Sequence[Mapping[str, str]]) -> None:
    """Write many lines of level info at once. Each has `event` and `source`, and only fields of the list."""
    if not _sinks:
        for line in lines:
            fields = dict(line)
            structlog.get_logger().info(fields.pop("event"), **fields)
        return
    stamp = _stamp(None, "info", {})
    stamped = [_drop_unknown_fields(None, "info", {**line, **stamp}) for line in lines]
    _sinks[0].write("".join([_ENCODER.encode(line).decode() + "\n" for line in stamped]))
    _sinks[0].flush()


def _stamp(_logger: object, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """How grave and when; a line is written for every webhook, so this is cheaper than the library's own."""
    line["level"] = method
    line["timestamp"] = datetime.now(UTC).isoformat(timespec="microseconds")[:-6] + "Z"
    return line


def _render_json(_logger: object, _method: str, line: MutableMapping[str, Any]) -> str:
    """One line of JSON, in UTF-8 without escapes."""
    return _ENCODER.encode(line).decode()


def _describe_exception(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The type and the places of an exception, without its message: a message may quote what somebody sent."""
    given = line.pop("exc_info", None)
    if given:
        error = given if isinstance(given, BaseException) else sys.exc_info()[1]
        trace = error.__traceback__ if error is not None else None
        line["error_type"] = type(error).__qualname__ if error is not None else None
        frames = []
        while trace is not None:
            code = trace.tb_frame.f_code
            frames.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
            trace = trace.tb_next
        line["frames"] = frames[-8:]
    return line


def _drop_unknown_fields(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if not line.keys() <= FIELDS:
        unknown = sorted(line.keys() - FIELDS)
        for name in unknown:
            del line[name]
        line["unknown_fields"] = unknown
    if None not in line.values():
        return line
    return {name: value for name, value in line.items() if value is not None}


class _LibraryHandler(logging.Handler):
    """Other libraries' warnings: where they come from, without the message, which may hold an address or a body."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        get_logger(record.name).warning(
            "library.warned", kind=record.levelname.lower(), frames=[f"{record.filename}:{record.lineno}"]
        )


def _tame_libraries(_target: TextIO) -> None:
    root = logging.getLogger()
    root.handlers = [_LibraryHandler()]
    root.setLevel(logging.WARNING)
    for name in ("httpx", "httpcore", "uvicorn", "uvicorn.access", "uvicorn.error", "asyncio", "litestar"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
        logger.setLevel(logging.WARNING)
