"""`gridpatrol serve`: every role as a child process, kept alive, stopped in order.

The bus comes first, then the database is brought up to date once, then all
roles at the same time. A role that ends is started again after a back-off that
grows while it keeps ending at once; one that ends with "the input is wrong"
(exit code 2) ends the service, because trying again cannot help. Each role may
be killed at any moment without loss (crash-only), so a restart needs no care.

Stopping goes against the stream of work: first what starts flights, then what
flies, looks and serves, last the bus. Drones in the air keep flying their
verified sortie and land; the gateway finds them again at the next start.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from api import children
from api.logs import OneLog
from missions.errors import InputWrong

Said = Callable[[dict[str, Any]], None]

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
# A role that stayed up this long failed for a new reason: its back-off starts anew.
SETTLED_S = 60.0
INPUT_WRONG = 2


def pause_s(failures: int) -> float:
    """Return how long to wait before the next start, after so many short lives in a row."""
    return min(FIRST_PAUSE_S * 2.0 ** min(failures, 16), LONGEST_PAUSE_S)


@dataclass(slots=True)
class Role:
    """One role's process: how it is started, and how it is doing."""

    name: str
    command: Sequence[str]
    is_ready: asyncio.Event = field(default_factory=asyncio.Event)
    process: asyncio.subprocess.Process | None = None
    starts: int = 0
    last_words: str = ""


class Supervisor:
    """Keeps roles running until it is told to stop. Runs in the main thread's event loop."""

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        *,
        environment: Mapping[str, str],
        one_log: OneLog,
        hear: Said | None = None,
    ) -> None:
        """Take the roles in the order in which they are stopped."""
        self.roles = {name: Role(name, command) for name, command in commands.items()}
        self._environment = environment
        self._log = one_log
        self._hear = hear or (lambda event: None)
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Keep every role running; return after `stop`, all roles ended.

        Raises:
            InputWrong: a role says that its input cannot be used.
        """
        keepers = [asyncio.create_task(self._keep(role)) for role in self.roles.values()]
        stopped = asyncio.create_task(self._stop.wait())
        try:
            # A keeper ends only by a failure that no restart mends.
            await asyncio.wait([stopped, *keepers], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stop.set()
            stopped.cancel()
            await self._end_all()
            results = await asyncio.gather(*keepers, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    def stop(self) -> None:
        """Ask `run` to stop every role and return."""
        self._stop.set()

    def tell(self, event: str, **values: Any) -> None:
        """Write what the supervisor itself has to say into the one log."""
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        said = {"event": event, "level": "warning", "at": now, "role": "supervisor", **values}
        self._hear(self._log.write(json.dumps(said), role="supervisor"))

    async def ready(self) -> None:
        """Return once every role has said that it is ready."""
        for role in self.roles.values():
            await role.is_ready.wait()

    async def _keep(self, role: Role) -> None:
        failures = 0
        while not self._stop.is_set():
            began_s = time.monotonic()
            code = await self._live(role)
            if self._stop.is_set():
                return
            if code == INPUT_WRONG:
                raise InputWrong(role.last_words or f"{role.name} says that its input is wrong")
            failures = 0 if time.monotonic() - began_s > SETTLED_S else failures + 1
            wait_s = pause_s(failures)
            self.tell("a role ended, starting it again", of=role.name, code=code, wait_s=wait_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), wait_s)

    async def _live(self, role: Role) -> int:
        """Return the exit code of one life of a role, its log copied line by line."""
        role.process = await children.start(
            role.command, environment=self._environment, stderr=asyncio.subprocess.PIPE
        )
        role.starts += 1
        assert role.process.stderr is not None
        try:
            while line := await _line(role.process.stderr):
                if text := line.decode(errors="replace").rstrip():
                    self._take(role, text)
            return await role.process.wait()
        finally:
            role.is_ready.clear()

    def _take(self, role: Role, line: str) -> None:
        event = self._log.write(line, role=role.name)
        if event["event"] == "ready":
            role.is_ready.set()
        if event.get("level") == "error":
            role.last_words = str(event["event"]).removeprefix("gridpatrol: ")
        self._hear(event)

    async def _end_all(self) -> None:
        for role in self.roles.values():
            if role.process is not None and role.process.returncode is None:
                code = await children.stop(role.process)
                if code < 0:
                    self.tell("a role had to be ended by force", of=role.name, code=code)


async def _line(stream: asyncio.StreamReader) -> bytes:
    """Return the next line, or nothing at the end; a line beyond all measure is cut."""
    try:
        return await stream.readline()
    except ValueError:  # longer than the reader's buffer, which asyncio has thrown away
        return b'{"event": "a log line was too long and is left out", "level": "warning"}\n'
