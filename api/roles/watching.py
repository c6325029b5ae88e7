"""What docks and drones say, kept by the coordinator: the newest in memory, the news in the database."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.bus import Bus
from api.schedule import Heard
from api.services import Services
from api.store.fleet import record_dock, record_telemetry

Writing = Callable[[], AbstractAsyncContextManager[AsyncSession]]

# In wall time. Telemetry comes twice a second and drone; the map is fed from the bus, not from here.
KEEP_EVERY_S = 5.0


class Watch:
    """The last word of every drone and dock. Used from one event loop."""

    def __init__(self, services: Services, bus: Bus, writing: Writing) -> None:
        self._services = services
        self._bus = bus
        self._writing = writing
        self._drones = {d.id: d for d in services.site.drones}
        self._last: dict[str, Mapping[str, Any]] = {}
        self._docks: dict[str, Mapping[str, Any]] = {}
        self._unsaved: set[str] = set()
        self._news = asyncio.Event()

    async def listen(self, *, changed: Callable[[], None]) -> None:
        """Hear what comes from now on; `changed` is called when a drone's state or a dock is news."""

        async def telemetry(subject: str, said: dict[str, Any]) -> None:
            drone = said["drone"]
            if drone not in self._drones:
                return
            before, self._last[drone] = self._last.get(drone), said
            self._unsaved.add(drone)
            if before is None or before["state"] != said["state"]:
                self._news.set()
                changed()

        async def dock(subject: str, said: dict[str, Any]) -> None:
            self._docks[said["dock"]] = said
            self._news.set()
            changed()

        await self._bus.listen("telemetry.>", telemetry)
        await self._bus.listen("docks.>", dock)

    def heard(self) -> list[Heard]:
        """Return what every drone last said of itself."""
        return [
            Heard(
                drone=drone,
                dock=self._drones[drone].dock,
                model=self._drones[drone].model,
                state=said["state"],
                battery_percent=said.get("battery_percent"),
                at=datetime.fromisoformat(said["at"]).astimezone(UTC),
            )
            for drone, said in self._last.items()
        ]

    async def keep(self) -> None:
        """Write down news at once and the rest now and then, for ever."""
        while True:
            # Not wait_for: before Python 3.12 it loses a cancellation that comes with the news.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KEEP_EVERY_S):
                    await self._news.wait()
            self._news.clear()
            drones, docks = [self._last[d] for d in self._unsaved], list(self._docks.values())
            self._unsaved.clear()
            self._docks.clear()
            if await self._save(drones, docks):
                await self._bus.publish("changes", {})

    async def _save(self, drones: list[Mapping[str, Any]], docks: list[Mapping[str, Any]]) -> bool:
        if not drones and not docks:
            return False
        async with self._writing() as session:
            for said in drones:
                await record_telemetry(session, said)
            return any([await record_dock(session, said, now=self._services.clock.now()) for said in docks])
