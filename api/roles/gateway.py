"""`gridpatrol gateway`: the drones and docks of one region, at the edge beside them.

It knows the hub by the bus and by HTTP, never by its database. What the hub has
not confirmed stays in the gateway's own journal and spool and is handed over
later, so a cut uplink costs nothing but time. Killed and started again it takes
up what is in the air from its journal.
"""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from structlog.stdlib import get_logger

from api.bus import Bus
from api.bus_server import DOCK_GATEWAY_USER, address_of, key_of
from api.roles import wiring
from api.settings import Settings
from fleet.docks.mqtt import MqttDocks
from fleet.gateway import DroneLink, Gateway
from fleet.journal import Journal
from missions.errors import WorkFailed
from missions.site import load_site
from missions.terrain import Terrain

log = get_logger(__name__)

HAND_OVER_S = 60.0


def run(settings: Settings) -> None:
    """Run the role until told to stop."""
    wiring.run("gateway", _main, settings)


async def _main(settings: Settings) -> None:
    site = load_site(settings.site)
    connects = settings.connects(site)
    folder = settings.data / "gateways" / settings.gateway
    folder.mkdir(parents=True, exist_ok=True)
    bus = await wiring.open_bus(settings, "gateway")
    clock = settings.make_clock()
    docks = MqttDocks(_broker(settings), clock, name=settings.gateway) if settings.docks else None
    token = wiring.token_file(settings.data, wiring.GATEWAY_TOKEN).read_text()
    with contextlib.closing(Journal(folder / "journal.db")) as journal:
        async with httpx.AsyncClient(
            base_url=settings.base_url,
            headers={"authorization": f"Bearer {token}"},
            timeout=HAND_OVER_S,
            trust_env=False,
        ) as hub:
            gateway = Gateway(
                settings.gateway,
                [DroneLink(d, connects[d.id]) for d in site.drones if d.id in connects],
                docks=docks,
                folder=folder,
                clock=clock,
                sink=Uplink(settings.gateway, bus, hub),
                journal=journal,
                terrain=Terrain.open(site.terrain),
            )
            try:
                await wiring.until_told(_serve(gateway, bus))
            finally:
                await bus.close()


async def _serve(gateway: Gateway, bus: Bus) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(gateway.run())
        await bus.answer(f"sorties.command.{gateway.name}", gateway.command)
        log.info("ready", drones=list(gateway.carriers))


class Uplink:
    """Where the gateway's news go: states and reports over the bus, pictures over HTTP."""

    def __init__(self, name: str, bus: Bus, hub: httpx.AsyncClient) -> None:
        self._name = name
        self._bus = bus
        self._hub = hub

    async def telemetry(self, drone_id: str, state: dict[str, Any]) -> None:
        await self._bus.publish(f"telemetry.{self._name}.{drone_id}", state)

    async def dock(self, dock_id: str, state: dict[str, Any]) -> None:
        await self._bus.publish(f"docks.{self._name}.{dock_id}", state)

    async def sortie(self, event: dict[str, Any]) -> None:
        """Hand over a report; it is on the hub's disk when this returns."""
        await self._bus.store(f"sorties.event.{self._name}", event, message_id=str(event["id"]))

    async def frame(self, meta: dict[str, Any], path: Path) -> None:
        """Hand over a picture for good.

        Raises:
            WorkFailed: the hub did not take it; hand it over again later.
        """
        data = await asyncio.to_thread(path.read_bytes)
        try:
            answer = await self._hub.post(
                "/v1/frames", data={"meta": json.dumps(meta)}, files={"file": (path.name, data)}
            )
        except httpx.HTTPError as error:
            raise WorkFailed(
                f"the hub did not take {path.name}: {str(error) or type(error).__name__}"
            ) from None
        if not answer.is_success:
            raise WorkFailed(f"the hub did not take {path.name}: {answer.status_code} {answer.text[:200]}")


def _broker(settings: Settings) -> str:
    """Return the URL of the docks' broker: the bus of the data folder."""
    address = address_of(settings.data)
    if address is None:
        raise WorkFailed(f"no bus has been started in {settings.data}: start 'gridpatrol serve' there first")
    key = quote(key_of(settings.data, DOCK_GATEWAY_USER), safe="")
    return f"mqtt://{DOCK_GATEWAY_USER}:{key}@{address.host}:{address.mqtt_port}"
