"""All drones and docks of one region: takes orders, flies sorties, hands over what comes of them.

The gateway stands at the edge beside its drones. It keeps flying, journalling
and spooling when the uplink is cut, and after a restart takes up the sorties
its journal says are open, without a second upload and without a second start.
"""

import asyncio
import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import structlog

from fleet.dispatcher import Dispatcher, Surroundings
from fleet.docks import DockClient
from fleet.errors import PlanRefused
from fleet.following import mover_from
from fleet.frames import Frames
from fleet.groundgrid import padded
from fleet.journal import Journal, OpenSortie
from fleet.keyring import Keyring
from fleet.link import Link
from fleet.mavlink import MavlinkCarrier, listen
from fleet.media import HttpMedia
from fleet.order import SortieOrder, check_ground, dock_from, order_from
from fleet.resume import rest_of
from fleet.stages import Stage, Wish
from fleet.vehicle import Contact
from missions.clock import Clock
from missions.model import Drone
from missions.terrain import Terrain

_TELEMETRY_WALL_S = 0.5
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 15.0
_PASSES_THE_DOOR = frozenset(
    (
        *(Stage.DOOR, Stage.PROFILE, Stage.UPLOAD, Stage.ARMING, Stage.STARTING),
        *(Stage.RETURNING, Stage.DIVERTING, Stage.LANDING),
    )
)
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DroneLink:
    """A drone and where its MAVLink is."""

    drone: Drone
    connect: str


class GatewaySink(Protocol):
    """Where a gateway's news go. Whatever raises is tried again, but for telemetry."""

    async def telemetry(self, drone_id: str, state: dict[str, Any]) -> None: ...

    async def dock(self, dock_id: str, state: dict[str, Any]) -> None: ...

    async def sortie(self, event: dict[str, Any]) -> None: ...

    async def frame(self, meta: dict[str, Any], path: Path) -> None:
        """Accept a frame for good, or raise."""
        ...


class Gateway:
    """One region. `run` until cancelled; `command` any time meanwhile, from the same event loop."""

    def __init__(
        self,
        name: str,
        drones: Sequence[DroneLink],
        *,
        docks: DockClient | None,
        folder: Path,
        clock: Clock,
        sink: GatewaySink,
        journal: Journal,
        terrain: Terrain | None = None,
        keyring: Keyring | None = None,
    ) -> None:
        self.name = name
        self.clock = clock
        self.sorties: dict[str, Dispatcher] = {}  # the last one of each drone, by drone id
        self._drones = {link.drone.id: link.drone for link in drones}
        keyring = keyring or Keyring(folder / "signing.json")
        self._links = {text: Link(text, keyring=keyring) for text in {d.connect for d in drones}}
        told = padded(terrain) if terrain is not None else None
        self.carriers = {
            d.drone.id: MavlinkCarrier(self._links[d.connect], clock, system=d.drone.system_id, ground=told)
            for d in drones
        }
        self._docks = docks
        self._sink = sink
        self._journal = journal
        self._terrain = terrain
        self._media = HttpMedia()
        self._news = asyncio.Event()
        self._all_told = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self.frames = Frames(
            gateway=name,
            folder=folder / "spool",
            clock=clock,
            media=self._media,
            journal=journal,
            hand_over=sink.frame,
        )
        self._around = Surroundings(
            folder / "flights", journal, self.frames, docks, self._told, self._needs_door
        )

    async def open(self) -> None:
        """Open every link now instead of on its own time.

        Raises:
            LinkFailed: one of them leads nowhere.
        """
        for link in self._links.values():
            await link.open()

    async def run(self) -> None:
        """Serve until cancelled; what flies then flies on."""
        try:
            async with asyncio.TaskGroup() as group:
                for link in self._links.values():
                    group.create_task(listen(link, [c for c in self.carriers.values() if c.link is link]))
                for carrier in self.carriers.values():
                    group.create_task(carrier.run())
                group.create_task(self.frames.run())
                if self._docks is not None:
                    group.create_task(self._docks.run())
                group.create_task(self._hand_over_events())
                group.create_task(self._tell_states())
                for open_sortie in self._journal.open_sorties():
                    self._take_up(open_sortie, group)
                self._group = group
        finally:
            self._group = None
            await self._media.aclose()

    async def command(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return whether a command is accepted; the same id is answered as before and does nothing twice."""
        command_id = str(body.get("id") or "")
        if not command_id:
            return {"id": "", "accepted": False, "reason": "a command needs an id"}
        known = self._journal.reply_to(command_id)
        if known is not None:
            return known
        if self._group is None:
            return {"id": command_id, "accepted": False, "reason": "the gateway is starting: ask again"}
        if body.get("action") in ("fly", "resume_from"):
            return self._fly(command_id, body, self._group)
        reason = self._follow(body) if body.get("action") == "follow" else self._steer(body)
        reply = _reply(command_id, reason)
        self._journal.note_reply(command_id, reply)
        return reply

    async def settled(self) -> None:
        """Wait until every frame and every event has been handed over."""
        await self.frames.empty()
        await self._all_told.wait()

    def _fly(self, command_id: str, body: Mapping[str, Any], group: asyncio.TaskGroup) -> dict[str, Any]:
        try:
            order = (
                self._rest(body) if body["action"] == "resume_from" else order_from(body.get("sortie") or {})
            )
            if self._terrain is not None:
                check_ground(order, self._terrain.elevation_m)
        except PlanRefused as error:
            return self._refused(command_id, str(error))
        reason = self._why_not(order)
        if reason is not None:
            return self._refused(command_id, reason)
        reply = _reply(command_id, None)
        self._journal.accept(command_id, reply, order)
        self._start(Dispatcher(order, self.carriers[order.drone], self._around), None, group)
        return reply

    def _rest(self, body: Mapping[str, Any]) -> SortieOrder:
        """Return the order of what a sortie left undone, by this gateway's own journal.

        {"sortie": {"id"}, "as": {"id", "drone"?, "dock"?, "proven"?}}: which sortie, and the id of
        the new one; it may name another drone and dock, and what is proven by others' word as well.

        Raises:
            PlanRefused: it was not flown here, nothing is left of it, or it must not be flown so.
        """
        wanted, new = str((body.get("sortie") or {}).get("id")), body.get("as") or {}
        flown = self._journal.flown(wanted)
        if flown is None:
            raise PlanRefused((f"no sortie {wanted!r} has ended here",))
        dock = new.get("dock")
        try:
            proven = flown.proven | {int(shot) for shot in new.get("proven") or ()}
            start = None if dock is None else dock_from(dock)
            name = str(new["id"])
        except (KeyError, TypeError, ValueError) as error:
            raise PlanRefused((f"the order cannot be read ({error!r})",)) from None
        rest = rest_of(flown.order, proven, id=name, drone=new.get("drone"), dock=start)
        if rest is None:
            raise PlanRefused((f"every picture of sortie {wanted} is there",))
        return rest

    def _refused(self, command_id: str, reason: str) -> dict[str, Any]:
        reply = _reply(command_id, reason)
        self._journal.note_reply(command_id, reply)
        return reply

    def _why_not(self, order: SortieOrder) -> str | None:
        if order.drone not in self.carriers:
            return f"gateway {self.name} has no drone {order.drone}: it has {', '.join(self.carriers)}"
        if self._journal.has_sortie(order.id):
            return f"sortie {order.id} was started here before"
        under_way = self._under_way(order.drone)
        if under_way is not None:
            return f"{order.drone} is busy with sortie {under_way.order.id} ({under_way.machine.stage})"
        return None

    def _steer(self, body: Mapping[str, Any]) -> str | None:
        """Recall, pause, resume, divert or abort a sortie; return why not, None if it will be done."""
        if body.get("action") == "unfollow":
            dispatcher = self._of(body)
            return dispatcher if isinstance(dispatcher, str) else dispatcher.unfollow()
        try:
            wish = Wish(str(body.get("action")))
        except ValueError:
            known = ", ".join(["fly", *Wish, "resume_from", "follow", "unfollow"])
            return f"action {body.get('action')!r} is not one of {known}"
        dispatcher = self._of(body)
        return dispatcher if isinstance(dispatcher, str) else dispatcher.wish(wish, str(body.get("to") or ""))

    def _follow(self, body: Mapping[str, Any]) -> str | None:
        """Let a sortie's camera follow a mover, or tell it where the mover was seen next.

        {"sortie": {"id"}, "mover": {"lat_deg", "lon_deg", "ground_m"?, "speed_m_s"?, "heading_deg"?,
        "seen_at"?, "kind"?}, "seconds"?}: with seconds it begins, without it is a newer word.
        """
        dispatcher = self._of(body)
        if isinstance(dispatcher, str):
            return dispatcher
        try:
            mover = mover_from(body.get("mover") or {}, self.clock.now())
            for_s = None if body.get("seconds") is None else float(body["seconds"])
        except (PlanRefused, TypeError, ValueError) as error:
            return str(error)
        ground_m = mover.ground_m
        if ground_m is None and self._terrain is not None:
            lat_deg, lon_deg = np.array([mover.place.lat_deg]), np.array([mover.place.lon_deg])
            ground_m = float(self._terrain.elevation_m(lat_deg, lon_deg)[0])
        if ground_m is None or not math.isfinite(ground_m):
            ground_m = dispatcher.order.dock.elevation_m
        return dispatcher.follow(mover, ground_m, for_s)

    def _of(self, body: Mapping[str, Any]) -> Dispatcher | str:
        """Return the sortie that a command is about, or that there is none."""
        wanted = body.get("sortie")
        wanted = wanted if isinstance(wanted, Mapping) else {}
        for dispatcher in self.sorties.values():
            if dispatcher.order.id == wanted.get("id"):
                return dispatcher
        return f"sortie {wanted.get('id')!r} is not under way here"

    def _told(self) -> None:
        """Note that the journal holds an event to be handed over."""
        self._all_told.clear()
        self._news.set()

    def _under_way(self, drone: str) -> Dispatcher | None:
        dispatcher = self.sorties.get(drone)
        return None if dispatcher is None or dispatcher.machine.stage.is_over else dispatcher

    def _take_up(self, open_sortie: OpenSortie, group: asyncio.TaskGroup) -> None:
        order = open_sortie.order
        carrier = self.carriers.get(order.drone)
        if carrier is None:
            _log.error("an open sortie's drone is not here any more", sortie=order.id, drone=order.drone)
            return
        self._start(Dispatcher(order, carrier, self._around), open_sortie, group)

    def _start(self, dispatcher: Dispatcher, taken_up: OpenSortie | None, group: asyncio.TaskGroup) -> None:
        self.sorties[dispatcher.order.drone] = dispatcher
        group.create_task(self._run(dispatcher, taken_up), name=f"sortie {dispatcher.order.id}")

    async def _run(self, dispatcher: Dispatcher, taken_up: OpenSortie | None) -> None:
        """Run a sortie; an error in it is not another sortie's: it is taken up as after a restart."""
        order, pause_s = dispatcher.order, _FIRST_PAUSE_S
        while True:
            try:
                return await dispatcher.run(taken_up)
            except Exception:
                _log.exception("an error in a sortie: it is taken up again", sortie=order.id, in_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)
            taken_up = next((o for o in self._journal.open_sorties() if o.order.id == order.id), None)
            if taken_up is None:
                return None
            dispatcher = self.sorties[order.drone] = Dispatcher(order, dispatcher.carrier, self._around)

    def _needs_door(self, dock: str, but: str) -> bool:
        return any(
            d.order.id != but and d.machine.dock_id == dock and d.machine.stage in _PASSES_THE_DOOR
            for d in self.sorties.values()
        )

    async def _hand_over_events(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            self._news.clear()
            try:
                for event in self._journal.events_to_hand_over():
                    await self._sink.sortie(event)
                    self._journal.event_handed_over(event["id"])
            except Exception as error:  # the uplink's trouble, whatever it is: the journal keeps the rest
                _log.warning("events not handed over", error=str(error), again_in_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)
                continue
            pause_s = _FIRST_PAUSE_S
            if not self._news.is_set():
                self._all_told.set()
            await self._news.wait()

    async def _tell_states(self) -> None:
        told: dict[str, float] = {}
        while True:
            for drone_id in self.carriers:
                # Telemetry is told by its next copy, so a lost one is no trouble.
                with contextlib.suppress(Exception):
                    await self._sink.telemetry(drone_id, self.telemetry(drone_id))
            for dock_id in {d.dock for d in self._drones.values()} if self._docks is not None else ():
                with contextlib.suppress(Exception):
                    await self._tell_dock(dock_id, told)
            await asyncio.sleep(_TELEMETRY_WALL_S)

    async def _tell_dock(self, dock_id: str, told: dict[str, float]) -> None:
        state = self._docks.state(dock_id) if self._docks is not None else None
        if state is None or told.get(dock_id) == state.heard_s:
            return
        await self._sink.dock(
            dock_id,
            {
                "dock": state.dock,
                "door": state.door,
                "charger": state.charger,
                **({} if state.drones_in is None else {"drones_in": list(state.drones_in)}),
                "wind_m_s": state.wind_m_s,
                "rain_mm_h": state.rain_mm_h,
                "at": self.clock.now().isoformat(),
            },
        )
        told[dock_id] = state.heard_s

    def telemetry(self, drone_id: str) -> dict[str, Any]:
        """Return what is known of a drone right now; unknown values are None."""
        carrier = self.carriers[drone_id]
        state = carrier.state
        motion = state.motion if state is not None else None
        under_way = self._under_way(drone_id)
        return {
            "drone": drone_id,
            "state": self._drone_state(drone_id),
            "lat_deg": motion.lat_deg if motion else None,
            "lon_deg": motion.lon_deg if motion else None,
            "altitude_m": motion.altitude_m if motion else None,
            "above_home_m": motion.above_home_m if motion else None,
            "heading_deg": motion.heading_deg if motion else None,
            "speed_m_s": motion.speed_m_s if motion else None,
            "battery_percent": state.battery_percent if state else None,
            "mode": carrier.mode_name,
            "armed": state.armed if state else None,
            "sortie": under_way.order.id if under_way else None,
            "at": self.clock.now().isoformat(),
        }

    def _drone_state(self, drone_id: str) -> str:
        carrier = self.carriers[drone_id]
        state = carrier.state
        if state is None or state.contact(carrier.now()) is Contact.LOST:
            return "lost"
        under_way = self._under_way(drone_id)
        if under_way is None:
            return "flying" if state.is_flying else "docked"
        match under_way.machine.stage:
            case Stage.FLYING:
                return "flying"
            case Stage.RETURNING | Stage.DIVERTING | Stage.LANDING:
                return "returning"
            case Stage.CLOSING | Stage.COLLECTING:
                return "landed"
        return "preflight"


def _reply(command_id: str, reason: str | None) -> dict[str, Any]:
    return {"id": command_id, "accepted": reason is None, "reason": reason}
