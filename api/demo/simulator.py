"""The process `gridpatrol sim`, which the demo knows only by its ports and its files."""

import asyncio
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from api import bus_server, children
from api.bus_server import BusAddress
from api.roles.serve import ONE_THREAD
from missions.errors import InputWrong, WorkFailed

PATIENCE_S = 60.0
LAST_BREATH_S = 5.0
LAST_WORDS = 400


class Simulator:
    """One simulator; `start` and `stop` belong together. `reports` is what its residents will say."""

    def __init__(self, command: list[str], *, data: Path, log: Path) -> None:
        self._command = command
        self._data = data
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._rest: asyncio.Task[bytes] | None = None
        self.reports: list[dict[str, Any]] = []

    async def start(self, bus: BusAddress) -> None:
        """Start it with the docks' MQTT account and return when it takes connections.

        Raises:
            InputWrong: it was asked for what it cannot simulate.
            WorkFailed: it does not say that it is there; the text holds its last words.
        """
        key = bus_server.key_of(self._data, bus_server.DOCK_USER)
        mqtt = f"mqtt://{bus_server.DOCK_USER}:{key}@{bus.host}:{bus.mqtt_port}"
        with self._log.open("wb") as errors:
            self._process = await children.start(
                self._command,
                environment={**ONE_THREAD, **os.environ, "GRIDPATROL_SIM_MQTT": mqtt},
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE_S)
        except TimeoutError:
            line = b""
        if not line:  # the code comes a moment after the last word
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), LAST_BREATH_S)
        if not line and self._process.returncode == InputWrong.exit_code:
            raise InputWrong(self._last_words().removeprefix("gridpatrol: "))
        if not line:
            raise WorkFailed(f"the simulator does not start: {self._last_words()}")
        self.reports = json.loads(line)["reports"]
        self._rest = asyncio.create_task(self._process.stdout.read())

    async def ended(self) -> None:
        """Return never.

        Raises:
            WorkFailed: the simulator ended by itself.
        """
        assert self._process is not None
        code = await self._process.wait()
        raise WorkFailed(f"the simulator ended with {code}: {self._last_words()}")

    async def stop(self) -> None:
        """Stop it; it writes its truth a last time."""
        if self._process is not None and self._process.returncode is None:
            await children.stop(self._process)
        if self._rest is not None:
            # Not awaited: a grandchild that outlived it may hold the other end open.
            self._rest.cancel()
            await asyncio.gather(self._rest, return_exceptions=True)
            self._rest = None

    def _last_words(self) -> str:
        return self._log.read_text(errors="replace").strip()[-LAST_WORDS:] or "it said nothing"
