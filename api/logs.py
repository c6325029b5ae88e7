"""One log for all roles: JSON lines, one writer, no secrets.

A role writes one JSON object a line to its standard error. Under `serve` the
supervisor is the only writer of the log file, so rotation never meets a second
writer. What looks like a secret is masked before it is written: a field whose
name says so, and anything in a text that looks like a token, a webhook
secret or the password part of a URL.
"""

import gzip
import json
import logging
import logging.handlers
import re
import shutil
import sys
from collections.abc import Callable, MutableMapping
from datetime import UTC, date, datetime, timedelta
from itertools import chain, count
from pathlib import Path
from typing import Any, TextIO

import structlog

MASK = "***"
_SECRET_NAME = re.compile(r"token|secret|password|authorization|cookie|api_?key", re.IGNORECASE)
_SECRET_TEXT = re.compile(
    r"(?P<before>\bBearer\s+|\bwhsec_|\bgp_(?=[A-Za-z0-9_-]{40})|://[^/\s:@]+:)"
    r"(?P<secret>[A-Za-z0-9_\-+/=.~]{6,})",
    re.IGNORECASE,
)
_LOUD = ("uvicorn.access", "httpx", "httpcore", "asyncio", "aiosqlite", "multipart", "rasterio", "PIL")

ROTATE_BYTES = 10 * 2**20
KEPT = timedelta(days=183)
"""Half a year: network operators must keep their logs for at least six months."""


def configure(role: str, level: str = "info", *, stream: TextIO | None = None) -> None:
    """Send this process's log to a stream (standard error), a JSON object a line, `role` bound."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        masked,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(role=role)


def masked(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Return a log event without secrets (a structlog processor)."""
    return {name: _masked_value(name, value) for name, value in event.items()}


def masked_text(text: str) -> str:
    """Return a text with everything that looks like a secret masked."""
    return _SECRET_TEXT.sub(lambda found: found["before"] + MASK, text)


class KeptLog(logging.handlers.BaseRotatingHandler):
    """A log file that is put away, packed and dated, when it is big or a day old, and kept for months.

    The time is the wall's. A name that is taken gets a number, so nothing is overwritten.
    """

    def __init__(self, file: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._file = file
        super().__init__(str(file), mode="a", encoding="utf-8")
        self._day = self._began()

    def shouldRollover(self, record: logging.LogRecord) -> bool:
        if self.stream is None:
            self.stream = self._open()
        return self.stream.tell() >= ROTATE_BYTES or (
            self._now().date() > self._day and self.stream.tell() > 0
        )

    def doRollover(self) -> None:
        """Pack what there is, begin anew, and forget what is older than it must be kept."""
        if self.stream is not None:
            self.stream.close()
        with self._file.open("rb") as plain, gzip.open(self._fresh_name(), "wb") as packed:
            shutil.copyfileobj(plain, packed)
        self.mode = "w"
        self.stream = self._open()
        self.mode = "a"
        self._day = self._now().date()
        oldest = self._now() - KEPT
        for old in self._file.parent.glob(f"{self._file.stem}-*.log*.gz"):
            if datetime.fromtimestamp(old.stat().st_mtime, UTC) < oldest:
                old.unlink()

    def _began(self) -> date:
        """Return the day of what is in the file already, after a restart."""
        at = self._file.stat().st_mtime if self._file.stat().st_size else self._now().timestamp()
        return datetime.fromtimestamp(at, UTC).date()

    def _fresh_name(self) -> Path:
        stem = f"{self._file.stem}-{self._now():%Y%m%dT%H%M%SZ}.log"
        numbers = chain([""], (f".{number}" for number in count(1)))
        names = (self._file.with_name(f"{stem}{number}.gz") for number in numbers)
        return next(name for name in names if not name.exists())


class OneLog:
    """The log file of a service, `log/gridpatrol.log` in the data folder, put away daily."""

    def __init__(self, data: Path) -> None:
        self.file = data / "log" / "gridpatrol.log"
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self._handler = KeptLog(self.file)

    def write(self, line: str, *, role: str) -> dict[str, Any]:
        """Write one line of a role and return it as an event; what is no JSON becomes one."""
        event = to_event(line, role=role)
        text = json.dumps(event, ensure_ascii=False)
        self._handler.emit(logging.makeLogRecord({"msg": text, "levelno": logging.INFO}))
        return event

    def close(self) -> None:
        self._handler.close()


def to_event(line: str, *, role: str) -> dict[str, Any]:
    """Return a role's line as an event: its own JSON, else the text as an error of that role."""
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if isinstance(found, dict) and "event" in found:
        return found
    return {"event": masked_text(line), "level": "error", "role": role}


def _masked_value(name: str, value: Any) -> Any:
    if _SECRET_NAME.search(name) and isinstance(value, str):
        return MASK
    return masked_text(value) if isinstance(value, str) else value
