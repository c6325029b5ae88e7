"""What one process tells its own listeners at once: "look at the table", and telemetry.

Events that must not be lost are rows (`store.events`); the feed only says that
there are new ones. Telemetry is not kept: a listener that is slow misses some,
and the last value of each drone stays here for whoever asks later.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Json = Mapping[str, Any]

KEPT = 200
"""Pushed values a slow listener may lag behind before the oldest are dropped."""


class Listener:
    """One subscriber's end: pushed values, and whether it was woken. A worker takes no pushes."""

    def __init__(self, takes_pushes: bool = True) -> None:
        self.takes_pushes = takes_pushes
        self.pushed: deque[tuple[str, Json]] = deque(maxlen=KEPT)
        self._bell = asyncio.Event()

    def ring(self) -> None:
        self._bell.set()

    @property
    def is_rung(self) -> bool:
        """Whether a wait would return at once."""
        return self._bell.is_set()

    async def wait(self, seconds: float) -> None:
        """Return when rung, or after some wall time: another process may have written meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self._bell.wait()
        except TimeoutError:
            return
        finally:
            self._bell.clear()


class Feed:
    """Fans out within one process and one event loop."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._last: dict[str, dict[str, Json]] = {}
        self.is_closed = False

    def wake(self, *, workers: bool = True) -> None:
        """Tell all listeners that there are new rows.

        workers: False where nothing was promised to anybody: those who deliver and keep timers sleep on.
        """
        for listener in self._listeners:
            if workers or listener.takes_pushes:
                listener.ring()

    def push(self, kind: str, key: str, value: Json) -> None:
        """Hand a value that is not kept in the database to all listeners."""
        self._last.setdefault(kind, {})[key] = value
        for listener in self._listeners:
            if listener.takes_pushes:
                listener.pushed.append((kind, value))
                listener.ring()

    def last(self, kind: str) -> Mapping[str, Json]:
        """Return the latest value of each key of a kind."""
        return self._last.get(kind, {})

    def close(self) -> None:
        """Let every open stream end."""
        self.is_closed = True
        self.wake()

    @contextmanager
    def listen(self, *, pushes: bool = True) -> Iterator[Listener]:
        """Yield a listener for as long as it is needed; without `pushes` it hears of new rows alone."""
        listener = Listener(pushes)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
