"""The demo's middle: follows the service over its public interface for the minutes asked for.

Everything a person is told comes over HTTP and the event stream, as any outside
program would hear it. Only to know whether pictures still wait does it ask the bus.
"""

import asyncio
import time
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from api import bus_server
from api.bus import Bus
from api.demo.client import Client
from api.demo.receiver import Received, Receiver
from api.demo.residents import Residents
from api.demo.result import Result, Wish
from api.demo.screen import Screen
from api.demo.simulator import Simulator
from api.demo.story import Story
from api.roles.serve import Service
from missions.clock import ScaledClock
from missions.model import Site
from missions.words import named

# All in wall time, which is what pictures and plans take.
PLAN_PATIENCE_S = 60.0
# After the last simulated minute: how long what is still waiting may stand still, and how long it may take.
STUCK_S, DRAIN_S = 120.0, 900.0
# With nothing in the air and no picture examined for so long, all have come in.
QUIET_S = 4.0
LOOK_EVERY_S = 0.5


class Patrol:
    """One demo under way. `result` fills as it goes. Used from one event loop."""

    def __init__(self, wish: Wish, site: Site, clock: ScaledClock, screen: Screen) -> None:
        self.result = Result()
        self._wish = wish
        self._site = site
        self._clock = clock
        self._screen = screen
        self._began_s = time.monotonic()
        self._ends: set[asyncio.Task[Any]] = set()
        self._story = Story(
            ZoneInfo(site.timezone),
            {d.id: named(d.name) for d in site.docks},
            {a.id: named(a.name) for a in site.agencies},
        )

    def tell(self, sentence: str) -> None:
        """Tell the person something, with the site's time."""
        self._screen.tell(f"{self._story.clock(self._clock.now())}  {sentence}")

    def arrived(self, message: Received) -> None:
        """Count a signed message that reached an agency; one alert counts once."""
        if self.result.first_alert_s is None:
            self.result.first_alert_s = round(time.monotonic() - self._began_s, 1)
        alert = str(message.body.get("subject") or message.id)
        if alert not in self.result.desks:
            self.result.desks[alert] = message.agency
            self.tell(self._story.arrived(message.agency))

    async def follow(
        self, service: Service, simulator: Simulator, receiver: Receiver, told: asyncio.Event
    ) -> None:
        """Follow the service to the end of the demo and write down what it says then.

        Raises:
            WorkFailed: the simulator or the service ended before that.
        """
        token = service.operator_token_file.read_text()
        self._screen.tell(f"The page is {service.settings.base_url}/ and its token {token}")
        async with Client(service.settings.base_url, token) as client:
            await self._register(client, receiver)
            residents = Residents(simulator.reports, self._clock, self.tell)
            calling = asyncio.create_task(residents.call(client))
            ours: set[asyncio.Task[Any]] = {
                asyncio.create_task(told.wait()),
                asyncio.create_task(simulator.ended()),
                asyncio.create_task(self._listen(client)),
            }
            self._ends = {*ours, service.running}
            ours.add(calling)
            try:
                await self._wait_for_it(service, client)
                await self._conclude(client)
                self.result.reports = await residents.outcomes(client)
                if calling.done():
                    calling.result()  # a report that could not be sent ends the demo as failed
            finally:
                for task in ours:
                    task.cancel()
                await asyncio.gather(*ours, return_exceptions=True)

    async def _register(self, client: Client, receiver: Receiver) -> None:
        for agency in self._site.agencies:
            answer = await client.put(f"/v1/agencies/{agency.id}/webhook", {"url": receiver.url(agency.id)})
            receiver.trust(agency.id, answer["secret"])

    async def _listen(self, client: Client) -> None:
        async for kind, value in client.events():
            for sentence in self._story.hear(kind, value):
                self.tell(sentence)

    async def _wait_for_it(self, service: Service, client: Client) -> None:
        """Return when the demo is over, or when something ended it."""
        # Planning takes wall time; the minutes are those of the patrol.
        if await self._planned() or await self._watch(self._wish.minutes):
            return
        if await self._drained(service, client):
            return
        if self._wish.stays:
            minutes = f"{self._wish.minutes:g} minutes"
            self._screen.tell(f"The {minutes} are over; look around, Ctrl-C ends the demo.")
            await self._watch(float("inf"))

    async def _planned(self) -> bool:
        """Wait for the first plan, within reason; return whether something ended meanwhile."""
        give_up_s = time.monotonic() + PLAN_PATIENCE_S
        while not self._story.states and time.monotonic() < give_up_s:
            self._screen.progress(None, "planning the first flights")
            if await self._ended(LOOK_EVERY_S / 2):
                return True
        return False

    async def _watch(self, minutes: float) -> bool:
        """Wait for so many simulated minutes; return whether something ended meanwhile."""
        began_at = self._clock.now()
        while (passed := (self._clock.now() - began_at) / timedelta(minutes=1)) < minutes:
            now = self._story.clock(self._clock.now())
            self._screen.progress(passed, f"{now}  {self._story.progress()}")
            left_s = (minutes - passed) * 60 / self._clock.speed
            if await self._ended(min(LOOK_EVERY_S, left_s)):
                return True
        return False

    async def _drained(self, service: Service, client: Client) -> bool:
        """Wait, within reason, until every picture was looked at and every alert delivered.

        Return whether something ended meanwhile.
        """
        key = bus_server.key_of(service.settings.data, "supervisor")
        bus = await Bus.connect(service.bus.url, role="supervisor", key=key)
        before, moved_s = "", time.monotonic()
        end_s = moved_s + DRAIN_S
        try:
            while left := await self._left(bus, client):
                if left != before:
                    before, moved_s = left, time.monotonic()
                if time.monotonic() > min(moved_s + STUCK_S, end_s):
                    self._screen.tell(f"Not waiting longer for {left}.")
                    return False
                self._screen.progress(None, f"waiting for {left}; {self._story.progress()}")
                if await self._ended(LOOK_EVERY_S):
                    return True
        finally:
            await bus.close()
        return False

    async def _left(self, bus: Bus, client: Client) -> str:
        """Return what is not done yet in words, nothing when all is."""
        pictures = await bus.waiting("FRAMES") + await bus.waiting("OBSERVATIONS")
        if pictures:
            return f"{pictures} pictures to be examined"
        looks = (await client.get("/v1/looks"))["looks"]
        if to_come := sum(look["decided_at"] is None for look in looks):
            return f"{to_come} looks that were asked for"
        sorties = (await client.get("/v1/sorties"))["sorties"]
        fetching = [s["id"] for s in sorties if s["state"] in ("landed", "door_closed")]
        if fetching:
            return f"the last pictures of {', '.join(fetching)}"
        is_quiet = time.monotonic() - self._story.looked_s > QUIET_S
        if not is_quiet and not _flying(sorties):
            return "pictures that still come in"
        deliveries = [d for a in (await client.get("/v1/alerts"))["alerts"] for d in a["deliveries"]]
        waiting = sum(d["state"] == "pending" for d in deliveries)
        return f"{waiting} messages to be delivered" if waiting else ""

    async def _ended(self, wait_s: float) -> bool:
        """Return whether something ended within the wait; raise what failed."""
        done, _ = await asyncio.wait(self._ends, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if error := task.exception():
                raise error
        return bool(done)

    async def _conclude(self, client: Client) -> None:
        self.result.incidents = await client.get("/v1/incidents.geojson")
        self.result.sorties = (await client.get("/v1/sorties"))["sorties"]
        self.result.frames = len(self._story.looked_at)
        if flying := _flying(self.result.sorties):
            self._screen.tell(f"Still in the air at the end: {', '.join(flying)}. Nothing was recalled.")


def _flying(sorties: list[dict[str, Any]]) -> list[str]:
    return [s["id"] for s in sorties if s["state"] in ("flying", "returning")]
