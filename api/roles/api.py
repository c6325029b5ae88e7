"""`gridpatrol api`: HTTP, the page, the event stream, and the workers that deliver.

Copies may run side by side: what they must agree on is in the database.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from structlog.stdlib import get_logger

from api.app import create_app
from api.bus import Bus
from api.bus_server import AGENCY_PUBLISHER, address_of, key_of
from api.delivery.channels import senders
from api.delivery.mqtt import MqttSender
from api.delivery.outbox import Outbox
from api.intake import publish_waiting
from api.retention import keep_sweeping
from api.roles import wiring
from api.roles.services import build_services
from api.roles.timekeeping import Timekeeper
from api.roles.together import Connection
from api.services import Services
from api.settings import Settings
from missions.errors import InputWrong

log = get_logger(__name__)

# Frames that a crash left unpublished are looked for at the start and so often (wall time).
PUBLISH_EVERY_S = 30.0
# Open event streams and half-sent pictures get so long when the process is told to stop.
GRACE_S = 3
# Longer than clients keep an idle connection (httpx: 5 s), so that they never write into one just closed.
KEEP_ALIVE_S = 75


def run(settings: Settings) -> None:
    """Run the role until told to stop."""
    wiring.run("api", _main, settings)


async def _main(settings: Settings) -> None:
    bus = await wiring.open_bus(settings, "api")
    services = await build_services(settings, bus)
    try:
        await wiring.until_told(_serve(settings, services, bus))
    finally:
        await services.database.close()
        await bus.close()


async def _serve(settings: Settings, services: Services, bus: Bus) -> None:
    await _hear(services, bus)
    with _listening(settings) as door:
        server = _Server(
            uvicorn.Config(
                create_app(services),
                http=Connection,
                log_config=None,
                access_log=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        channels = settings.channels(_mqtt(settings))
        sending = senders(channels, services.options.allowed_networks)
        async with sending as sends, asyncio.TaskGroup() as group:
            wiring.settle_memory()
            group.create_task(Outbox(services, sends).run())
            group.create_task(_publish_what_waits(services))
            group.create_task(keep_sweeping(services, settings.keeping()))
            group.create_task(Timekeeper(services, "api").run())
            group.create_task(server.run_on(door, at_end=services.feed.close))


def _mqtt(settings: Settings) -> MqttSender | None:
    """Return what publishes to agencies' MQTT clients on the bus of the data folder."""
    address = address_of(settings.data)
    if address is None:
        return None
    password = key_of(settings.data, AGENCY_PUBLISHER)
    return MqttSender(address.mqtt_port, user=AGENCY_PUBLISHER, password=password)


async def _hear(services: Services, bus: Bus) -> None:
    """Let what the bus says reach the event streams of this process."""

    async def telemetry(subject: str, said: dict[str, Any]) -> None:
        services.feed.push("telemetry", said["drone"], said)

    async def changed(subject: str, said: dict[str, Any]) -> None:
        services.feed.wake()

    await bus.listen("telemetry.>", telemetry)
    await bus.listen("changes", changed)


async def _publish_what_waits(services: Services) -> None:
    while True:
        if many := await publish_waiting(services):
            log.info("frames published late", frames=many)
        await asyncio.sleep(PUBLISH_EVERY_S)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: the role ends by cancellation, and then in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def run_on(self, door: socket.socket, *, at_end: Callable[[], None]) -> None:
        """Serve on a listening socket until cancelled; `at_end` ends what would keep callers waiting."""
        serving = asyncio.create_task(self.serve([door]))
        while not self.started and not serving.done():  # noqa: ASYNC110  (uvicorn tells by a flag alone)
            await asyncio.sleep(0.01)
        log.info("ready")
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            at_end()
            self.should_exit = True
            await serving
            raise


def _listening(settings: Settings) -> socket.socket:
    """Return the socket the api listens on.

    Raises:
        InputWrong: the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in settings.http_host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((settings.http_host, settings.http_port))
    except OSError as error:
        door.close()
        raise InputWrong(
            f"cannot listen on {settings.http_host}:{settings.http_port} ({error.strerror}): "
            "choose another with GRIDPATROL_HTTP_PORT or --http-port"
        ) from None
    door.listen(2048)
    door.setblocking(False)
    return door
