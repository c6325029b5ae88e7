"""The front door: fly one sortie of a plan on one drone, without docks.

`fly` is a gateway with a single drone whose news go to a person and whose
frames go to a folder, so what flies here is what flies in the field.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fleet.dispatcher import Dispatcher
from fleet.errors import LinkFailed
from fleet.gateway import DroneLink, Gateway
from fleet.journal import Journal
from fleet.keyring import Keyring
from fleet.order import DockPlace, SortieOrder, order_from
from fleet.preflight import Finding, findings
from fleet.resume import rest_of
from fleet.stages import Stage, Wish
from fleet.zones import bounded
from missions.bounds import bounds_of
from missions.clock import Clock
from missions.errors import InputWrong, WorkFailed
from missions.export.planfile import PlanFile
from missions.items import mission_items
from missions.model import Drone
from missions.terrain import Terrain

_PERCENT_STEP = 2.0  # the vehicle tells whole percents and hovers on its own clock
_MOST_PERCENT = 95.0
_PART = "-part"  # S1-part2 is the rest of S1
_PROGRESS_S = 20.0
_PROGRESS_WALL_S = 4.0
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class FlightResult:
    """How a flight ended; `reserve` is the share of the battery left on landing."""

    sortie: str
    state: str
    reason: str | None
    verified: bool
    uploaded: int
    items: int
    reached: int
    shots: dict[str, int]
    landed: bool
    landed_from_dock_m: float | None
    reserve: float | None
    tlog: str

    def to_json(self) -> dict[str, Any]:
        """Return the result as `gridpatrol fly --json` prints it."""
        return asdict(self)


def order_of(plan: PlanFile, sortie_id: str, *, drone: str = "") -> SortieOrder:
    """Return the order to fly one sortie of a plan, checked.

    Raises:
        InputWrong: the plan has no such sortie.
        PlanRefused: its mission must not be flown; names the items.
    """
    sortie = plan.sortie(sortie_id)
    dock, model = plan.dock(sortie.dock), plan.model(sortie.model)
    landings, fence = bounded(bounds_of(sortie, plan.docks, plan.no_fly), are_tended=False)
    if not drone:
        drone = next((d.id for d in plan.drones if d.dock == dock.id and d.model == model.name), sortie.dock)
    order = SortieOrder(
        id=sortie.id,
        drone=drone,
        dock=DockPlace(dock.id, dock.place.lat_deg, dock.place.lon_deg, dock.elevation_m),
        items=mission_items(sortie, dock),
        shots=len(sortie.shots),
        expected_s=sortie.flight_s,
        battery_percent=min(
            _MOST_PERCENT, 100.0 * (sortie.needs_wh / model.battery_wh + model.reserve) - _PERCENT_STEP
        ),
        max_wind_m_s=min(model.max_wind_m_s, dock.max_wind_m_s),
        climb_m_s=model.climb_m_s,
        descent_m_s=model.descent_m_s,
        landings=landings,
        fence=fence,
    )
    return order_from(order.to_json())


def rest_in(folder: Path, order: SortieOrder) -> SortieOrder:
    """Return what an earlier flight of this sortie left to be flown, by the journal in its folder.

    Raises:
        InputWrong: no flight of this sortie has ended there, or every picture is there.
        PlanRefused: the rest must not be flown.
    """
    path = folder / "journal.sqlite"
    flown = None
    if path.exists():
        with contextlib.closing(Journal(path)) as journal:
            flown = journal.last_flown()
    first = order.id.partition(_PART)[0]
    if flown is None or flown.order.id.partition(_PART)[0] != first:
        raise InputWrong(f"{folder}: no flight of sortie {first} has ended there")
    _, _, number = flown.order.id.partition(_PART)
    name = f"{first}{_PART}{int(number or 1) + 1}"
    rest = rest_of(flown.order, flown.proven, id=name, drone=order.drone)
    if rest is None:
        raise InputWrong(f"{folder}: every picture of sortie {first} is there, nothing is left to fly")
    return rest


class Flight:
    """One flight under way; `run` returns how it ended."""

    def __init__(
        self,
        order: SortieOrder,
        connect: str,
        *,
        folder: Path,
        clock: Clock,
        say: Say,
        keyring: Keyring | None = None,
        terrain: Terrain | None = None,
    ) -> None:
        self._is_new = not (folder / "journal.sqlite").exists()
        folder.mkdir(parents=True, exist_ok=True)
        self._order = order
        self.folder = folder
        self._say = say
        self._journal = _journal_of(folder / "journal.sqlite", order.id)
        self._gateway = Gateway(
            "fly",
            [DroneLink(Drone(order.drone, "", order.dock.id, 0), connect)],
            docks=None,
            folder=folder,
            clock=clock,
            sink=_FolderSink(folder / "pictures", say),
            journal=self._journal,
            keyring=keyring,
            terrain=terrain,
        )
        self._carrier = self._gateway.carriers[order.drone]

    @property
    def may_be_airborne(self) -> bool:
        """Whether leaving now would leave a drone in the air."""
        dispatcher = self._dispatcher
        return dispatcher is not None and dispatcher.machine.stage.may_be_airborne

    def recall(self) -> str | None:
        """Bring the drone home; return why that cannot be done, if it cannot."""
        return self._dispatcher.wish(Wish.RECALL) if self._dispatcher is not None else "nothing flies yet"

    async def run(self) -> FlightResult:
        """Fly until landed and every picture is here.

        Raises:
            LinkFailed: the connection leads nowhere.
            WorkFailed: the order was not accepted.
        """
        try:
            await self._gateway.open()
            gateway = asyncio.create_task(self._gateway.run())
            try:
                return await self._run(gateway)
            finally:
                gateway.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await gateway
        except LinkFailed:
            self._leave_nothing()
            raise
        finally:
            self._journal.close()

    def _leave_nothing(self) -> None:
        """Take away what was made for a flight that never began, and the folder if nothing else is in it."""
        if self._is_new:
            self._journal.close()
            for made in self.folder.glob("journal.sqlite*"):
                made.unlink()
            with contextlib.suppress(OSError):  # something of somebody else's is in it
                self.folder.rmdir()

    async def _run(self, gateway: asyncio.Task[None]) -> FlightResult:
        await self._carrier.beat()
        dispatcher = self._dispatcher
        if dispatcher is None:
            reply = await self._gateway.command(
                {"id": f"fly-{self._order.id}", "action": "fly", "sortie": self._order.to_json()}
            )
            if not reply["accepted"]:
                raise WorkFailed(f"sortie {self._order.id} is not flown: {reply['reason']}")
            dispatcher = self._gateway.sorties[self._order.drone]
        else:
            self._say(f"sortie {self._order.id} is under way already: taking it up, nothing is sent again")
        await self._watch(dispatcher, gateway)
        await self._gateway.settled()
        return self._result(dispatcher)

    async def _watch(self, dispatcher: Dispatcher, gateway: asyncio.Task[None]) -> None:
        stage, told_s = None, 0.0
        every_s = max(_PROGRESS_S, _PROGRESS_WALL_S * self._carrier.clock.speed)
        while not dispatcher.machine.stage.is_over:
            if gateway.done():
                gateway.result()
            now = self._carrier.now()
            if dispatcher.machine.stage is not stage:
                stage, told_s = dispatcher.machine.stage, now
                self._say_wait(dispatcher)
            elif now - told_s > every_s:
                told_s = now
                self._say(f"  … {self._progress(dispatcher)}")
            await self._carrier.beat()

    def _say_wait(self, dispatcher: Dispatcher) -> None:
        wait = dispatcher.machine.wait
        if wait is not None:
            self._say(
                f"waiting for {wait.text} (usually {wait.usually_s:.0f} s, at most {wait.limit_s:.0f} s)"
            )

    def _progress(self, dispatcher: Dispatcher) -> str:
        state = self._carrier.state
        if dispatcher.machine.stage is Stage.UPLOAD:
            return self._carrier.loaded
        if state is None:
            return "nothing heard yet"
        if not dispatcher.machine.stage.may_be_airborne:
            return "; ".join(f.what for f in self._findings()) or str(dispatcher.machine.stage)
        battery = "" if state.battery_percent is None else f", battery {state.battery_percent:.0f} %"
        shots = f"{dispatcher.ledger.taken} of {self._order.shots} pictures"
        return f"item {state.current or 0} of {self._carrier.item_count - 1}, {shots}{battery}"

    def _findings(self) -> tuple[Finding, ...]:
        carrier = self._carrier
        return findings(carrier.state, self._order, None, has_dock=False, now=carrier.now())

    @property
    def _dispatcher(self) -> Dispatcher | None:
        return self._gateway.sorties.get(self._order.drone)

    def _result(self, dispatcher: Dispatcher) -> FlightResult:
        machine, state = dispatcher.machine, self._carrier.state
        percent = state.battery_percent if state is not None else None
        return FlightResult(
            sortie=self._order.id,
            state=str(machine.stage),
            reason=machine.failure,
            verified=machine.verified,
            uploaded=self._carrier.item_count if machine.uploaded else 0,
            items=self._carrier.item_count,
            reached=dispatcher.reached,
            shots={
                "planned": self._order.shots,
                "taken": dispatcher.ledger.taken,
                "files": dispatcher.haul.files,
            },
            landed=machine.landed,
            landed_from_dock_m=_rounded(machine.landed_from_dock_m),
            reserve=None if percent is None else round(percent / 100.0, 3),
            tlog=str(dispatcher.tlog),
        )


async def fly(
    plan: PlanFile, sortie: str, connect: str, *, folder: Path, clock: Clock, say: Say = lambda _text: None
) -> FlightResult:
    """Fly one sortie of a plan and return how it ended."""
    return await Flight(order_of(plan, sortie), connect, folder=folder, clock=clock, say=say).run()


class _FolderSink:
    """Says what happens and keeps the frames in a folder."""

    def __init__(self, folder: Path, say: Say) -> None:
        self._folder = folder
        self._say = say

    async def telemetry(self, drone_id: str, state: dict[str, Any]) -> None:
        """The progress lines say it already."""

    async def dock(self, dock_id: str, state: dict[str, Any]) -> None:
        """There are no docks here."""

    async def sortie(self, event: dict[str, Any]) -> None:
        self._say(f"{event['at'][11:19]} {event['state']}: {event['evidence']}")

    async def frame(self, meta: dict[str, Any], path: Path) -> None:
        await asyncio.to_thread(_keep, path, self._folder / meta["name"])


def _keep(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)


def _journal_of(path: Path, sortie: str) -> Journal:
    """Return the folder's journal if the sortie is still open in it, else a new one.

    Raises:
        InputWrong: another sortie is open in it.
    """
    if path.exists():
        journal = Journal(path)
        under_way = [o.order.id for o in journal.open_sorties()]
        if sortie in under_way:
            return journal
        journal.close()
        if under_way:
            raise InputWrong(
                f"{path.parent}: sortie {under_way[0]} has not ended there: take that one up, "
                "or choose another folder by --out"
            )
        for old in path.parent.glob(path.name + "*"):
            old.unlink()
    return Journal(path)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
