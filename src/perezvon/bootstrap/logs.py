"""Logs of our processes: one JSON object a line, without anybody's number or name.

Lines that concern a call have `call` or `leg`, all have `process` and `tenant`, whichever thread
they are of. Should a number get into one all the same, it is masked on its way out.
Tracebacks carry no local variables: those hold clients. The supervisor keeps the files bounded.
A line that cannot be written is lost: a full disk must not end the process that reports it.
"""

import contextlib
import logging
import sys
from typing import Any, Final, TextIO, cast

import structlog

from perezvon.runtime.masking import mask_numbers

IDS: Final = frozenset(
    {"timestamp", "call", "leg", "legs", "bridges", "debt", "seq", "epoch", "pid", "tenant"}
)
"""Fields of ids and moments, which are left as they are."""

_bound: dict[str, str] = {}
"""What every line of this process has. Not of `contextvars`: our threads would not have it."""


class _Unfailing:
    """A stream, as far as structlog asks for one; logging's own handlers forgive by themselves."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(text)
            self._stream.flush()
        return len(text)

    def flush(self) -> None:
        """Each line is on its way already."""


def configure(process: str, level: str) -> None:
    """Set up logging for this process; call it once, before anything logs."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        _merge_bound,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, _mask, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Unfailing(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    bind(process=process)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared[:-1], structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _mask,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=threshold, force=True)


def bind(**fields: str) -> None:
    """From now on every line of this process has these."""
    _bound.update(fields)


def _merge_bound(
    _logger: object, _method: str, line: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    return {**_bound, **line}


def _mask(
    _logger: object, _method: str, line: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    return {key: value if key in IDS else _masked(value) for key, value in line.items()}


def _masked(value: Any) -> Any:  # noqa: ANN401 - whatever is logged
    match value:
        case str():
            return mask_numbers(value)
        case list() | tuple():
            return [_masked(item) for item in value]
        case dict():
            return {key: _masked(item) for key, item in value.items()}
        case _:
            return value
