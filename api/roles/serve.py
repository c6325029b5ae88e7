"""The whole service on one machine: bus, database, then every role under the supervisor.

`serving` is used by `gridpatrol serve` and, with a simulator beside it, by the
demo, so there is one way of starting, and it is the one that people run.
"""

import asyncio
import contextlib
import fcntl
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.bus_server import BusAddress, BusServer, free_port, is_free, write_private
from api.children import program
from api.logs import OneLog
from api.roles.supervisor import Said, Supervisor, pause_s
from api.roles.wiring import GATEWAY_TOKEN, OPERATOR_TOKEN, stopping, token_file
from api.settings import Settings
from api.store import tokens
from api.store.engine import open_database
from api.store.fleet import seed_site
from api.store.tokens import Role
from missions.errors import InputWrong, WorkFailed
from missions.model import Site
from missions.program import say
from missions.site import load_site

# Many processes share the machine: each numeric library starting a thread per core only makes them wait.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}

READY_PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Service:
    """A running service: where it is, and the task that ends when it does."""

    settings: Settings
    bus: BusAddress
    supervisor: Supervisor
    running: asyncio.Task[None]

    @property
    def operator_token_file(self) -> Path:
        return token_file(self.settings.data, OPERATOR_TOKEN)


@asynccontextmanager
async def serving(
    settings: Settings,
    *,
    hear: Said | None = None,
    beside: Callable[[BusAddress], Awaitable[None]] | None = None,
) -> AsyncIterator[Service]:
    """Yield the service once every role is ready; leaving stops it in order.

    `hear` is called with every log event. `beside` runs once the bus is there
    and before the roles are awaited: the place to start what docks with it.

    Raises:
        InputWrong: the data folder or the port is in use, or a role refuses its input.
    """
    with _alone(settings.data):
        if not is_free(settings.http_port):
            raise InputWrong(f"port {settings.http_port} is in use: choose another with --http-port")
        site = load_site(settings.site)
        one_log = OneLog(settings.data)
        async with _kept_bus(settings.data, one_log, [agency.id for agency in site.agencies]) as address:
            started = asyncio.ensure_future(beside(address)) if beside else None
            await _prepare_database(settings, site)
            supervisor = Supervisor(
                commands(settings), environment=environment(settings), one_log=one_log, hear=hear
            )
            running = asyncio.create_task(supervisor.run())
            try:
                if started:
                    await started
                await _ready_or_failed(supervisor, running)
                yield Service(settings, address, supervisor, running)
            finally:
                supervisor.stop()
                await running
        one_log.close()


def run(settings: Settings, show: Callable[[dict[str, Any]], None] | None) -> None:
    """Run the service until it is told to stop; `show` gets where it is as a value for programs."""
    asyncio.run(_run(settings, show))


async def _run(settings: Settings, show: Callable[[dict[str, Any]], None] | None) -> None:
    def hear(event: dict[str, Any]) -> None:
        if event.get("level") in ("warning", "error", "critical"):
            details = event.get("error") or event.get("of") or ""
            say(f"[{event.get('role', '?')}] {event['event']} {details}".rstrip())

    with stopping() as told:
        async with serving(settings, hear=hear) as service:
            say(f"Gridpatrol is at {settings.base_url}/")
            say(f"The operator's token is in {service.operator_token_file}")
            say(f"The log is in {settings.data / 'log'}")
            if show:
                show(
                    {
                        "address": settings.base_url,
                        "operator_token_file": str(service.operator_token_file),
                        "data": str(settings.data),
                    }
                )
            told_to_stop = asyncio.create_task(told.wait())
            waits: set[asyncio.Task[Any]] = {told_to_stop, service.running}
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            told_to_stop.cancel()
            say("Stopping: flights that are under way go on and land by themselves.")


def choose_port(wanted: int) -> int:
    """Return the port people know if it is free, else any that is."""
    return wanted if is_free(wanted) else free_port()


def commands(settings: Settings) -> Mapping[str, list[str]]:
    """Return how each role is started, in the order in which they are to be stopped."""
    analysts = ["analyst", *(f"analyst-{n}" for n in range(2, settings.analysts + 1))]
    return {name: program(name.partition("-")[0]) for name in ("coordinator", "gateway", *analysts, "api")}


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment of the roles: ours, and these settings."""
    return {**ONE_THREAD, **os.environ, **settings.environment()}


async def _prepare_database(settings: Settings, site: Site) -> None:
    """Bring the tables up to date once, before many processes use them, with the site and our tokens."""
    database = await open_database(settings.database)
    now = settings.make_clock().now()
    try:
        async with database.write() as session:
            await seed_site(session, site, gateway=settings.gateway)
            for name, role in ((OPERATOR_TOKEN, Role.OPERATOR), (GATEWAY_TOKEN, Role.GATEWAY)):
                token = own_token(settings.data, name)
                await tokens.keep(session, token, role=role, name=f"{name} of this machine", now=now)
    finally:
        await database.close()


def own_token(data: Path, name: str) -> str:
    """Return a token of our own, made on first use."""
    file = token_file(data, name)
    with contextlib.suppress(FileExistsError):
        write_private(file, f"gp_{secrets.token_urlsafe(32)}", exclusive=True)
    return file.read_text()


@asynccontextmanager
async def _kept_bus(data: Path, one_log: OneLog, agencies: Sequence[str]) -> AsyncIterator[BusAddress]:
    """Yield the address of a bus that is started again, on the same ports, whenever it ends."""
    server = await BusServer.start(data, agencies)

    async def keep() -> None:
        nonlocal server
        failures = 0
        while True:
            code = await server.process.wait()
            one_log.write(f"the bus ended with {code}, starting it again", role="supervisor")
            await asyncio.sleep(pause_s(failures))  # a back-off: nothing tells when a start would work
            failures += 1
            try:
                server = await BusServer.start(data, agencies)
            except WorkFailed as error:  # tried again: the process that ended is still the one we wait for
                one_log.write(f"the bus does not start: {error}", role="supervisor")

    keeper = asyncio.create_task(keep())
    try:
        yield server.address
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await server.stop()


async def _ready_or_failed(supervisor: Supervisor, running: asyncio.Task[None]) -> None:
    """Return once all roles are ready; raise what ended them if that comes first."""
    ready = asyncio.create_task(supervisor.ready())
    waits: set[asyncio.Task[None]] = {ready, running}
    await asyncio.wait(waits, timeout=READY_PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        ready.cancel()
        await running
        raise WorkFailed("the service ended before it was ready: its log says why")
    if not ready.done():
        ready.cancel()
        late = [r.name for r in supervisor.roles.values() if not r.is_ready.is_set()]
        raise WorkFailed(f"not ready after {READY_PATIENCE_S:g} s: {', '.join(late)}; the log says why")


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Hold a data folder for one supervisor; the lock goes with the process, however it ends."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        (data / "keys").mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise InputWrong(
            f"--data: {data} cannot be used as a folder ({error.strerror}): choose another"
        ) from None
    with (data / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputWrong(f"{data} is in use by another service: choose another data folder") from None
        yield
