"""Runs one sortie: shows the machine what is seen and does what it answers.

Journal first, act second: the stage and the reports of a step are on disk
before anything of it is sent. Cancelling a dispatcher stops nothing in the air;
the drone finishes its verified mission and comes home by itself.
"""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from fleet.autopilots import Step
from fleet.carrier import CameraEvent, Carrier
from fleet.docks import DockAction, DockClient
from fleet.errors import DockFailed
from fleet.following import Mover
from fleet.frames import Haul
from fleet.journal import Journal, OpenSortie
from fleet.messages import CameraCount, PictureTaken, ShutterFired
from fleet.order import SortieOrder
from fleet.pictures import AUTOPILOT, PictureLedger
from fleet.sortie import SortieMachine
from fleet.stages import Action, Divert, LookAhead, LookAt, Memory, Need, Report, Sight, Stage, Wish

_COLLECT_WALL_S = 120.0  # pictures are rendered and carried in wall time
_ASK_AGAIN_S = 10.0
_COUNT_AGAIN_S = 2.0
_BEFORE_FLIGHT = (
    *(Stage.PREFLIGHT, Stage.CHARGING, Stage.DOOR),
    *(Stage.PROFILE, Stage.UPLOAD, Stage.ARMING),
)
_HEARD_WITHIN_S = 30.0  # simulated: a restarted gateway waits so long for a word of the drone


class PictureTaker(Protocol):
    """Takes pictures off drones."""

    def want(self, haul: Haul, record: PictureTaken, shot: int | None) -> None:
        """Fetch a picture unless it is here or on its way."""
        ...

    def want_lost(self, haul: Haul) -> None:
        """Try once more what could not be fetched."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a dispatcher works with, the same for all sorties of a gateway."""

    folder: Path
    journal: Journal
    frames: PictureTaker
    docks: DockClient | None
    told: Callable[[], None]
    needs_door: Callable[[str, str], bool] = lambda dock, but: False
    """Whether a sortie other than `but` has a drone that is about to pass a dock's door."""


class Dispatcher:
    """One sortie on one carrier; `run` returns when it is over."""

    def __init__(self, order: SortieOrder, carrier: Carrier, around: Surroundings) -> None:
        self.order = order
        self.carrier = carrier
        self.ledger = PictureLedger(order.shot_places())
        self.haul = Haul(order.id, order.drone)
        self.tlog = around.folder / f"{order.id}.tlog"
        self.machine = SortieMachine(
            order,
            has_dock=around.docks is not None,
            now=carrier.now(),
            collect_s=max(180.0, _COLLECT_WALL_S * carrier.clock.speed),
        )
        self.reached = 0
        self._around = around
        self._journalled = Stage.PREFLIGHT
        self._dock_refusal: str | None = None
        self._dock_tasks: dict[tuple[str, DockAction], asyncio.Task[None]] = {}
        self._asked_s = float("-inf")
        self._asked_in = Stage.PREFLIGHT
        self._taken_up = False
        self._remembered = Memory()

    def wish(self, wish: Wish, to: str = "") -> str | None:
        """Note what a person asks for; return why it cannot be done, if it cannot.

        When this returns None the wish is on disk: a kill does not undo a promise.
        """
        reason = self.machine.wish(wish, to)
        if reason is None:
            self._note_memory()
        return reason

    def follow(self, mover: Mover, ground_m: float, for_s: float | None) -> str | None:
        """Turn the camera after a mover, or take a newer word of it; return why not, if it cannot."""
        age_s = (self.carrier.clock.now() - mover.seen_at).total_seconds()
        reason = self.machine.follow(
            mover, ground_m, for_s, self._sight(), age_s=max(0.0, age_s), now=self.carrier.now()
        )
        self._note_memory()
        return reason

    def unfollow(self) -> str | None:
        """Let the camera look ahead again; return why not, if it cannot."""
        return self.machine.unfollow("a person asked for it", self.carrier.now())

    async def run(self, taken_up: OpenSortie | None = None) -> None:
        """Fly the sortie, or go on with one that an earlier process began."""
        self.carrier.on_camera = self._on_camera
        self.carrier.begin(self.order)
        with self.carrier.recording(self.tlog):
            try:
                if taken_up is not None:
                    await self._take_up(taken_up)
                async with asyncio.TaskGroup() as group:
                    await self._fly(group)
            finally:
                if self.carrier.on_camera == self._on_camera:  # the next sortie may have begun already
                    self.carrier.on_camera = None

    async def _take_up(self, open_sortie: OpenSortie) -> None:
        self.ledger.counted = dict(open_sortie.counted)
        self._taken_up = True
        self._journalled, self._remembered = open_sortie.stage, open_sortie.memory
        began = self.carrier.now()
        while self.carrier.progress().vehicle is None and self.carrier.now() - began < _HEARD_WITHIN_S:
            await self.carrier.beat()
        self.machine.reattach(open_sortie.stage, self._sight(), self.carrier.now(), open_sortie.memory)
        self.carrier.ask_shots()

    async def _fly(self, group: asyncio.TaskGroup) -> None:
        while not self.machine.stage.is_over:
            actions = self.machine.step(self._sight(), self.carrier.now())
            self._note([a for a in actions if isinstance(a, Report)])
            self._note_memory()
            for action in actions:
                self._act(action, group)
            self._ask_lost_records()
            await self.carrier.beat()

    def _note(self, reports: list[Report]) -> None:
        journal = self._around.journal
        for report in reports:
            journal.note_event(self._event(report))
        if self.machine.stage is not self._journalled:
            if self.machine.stage in (Stage.ARMING, Stage.STARTING):
                journal.note_counted(self.order.id, self.ledger.counted)
            if self.machine.stage.is_over:
                journal.note_proven(self.order.id, self.proven)
            journal.note_stage(self.order.id, self.machine.stage)
            self._journalled = self.machine.stage
        if reports:
            self._around.told()

    def _note_memory(self) -> None:
        memory = self.machine.memory
        if memory != self._remembered:
            self._around.journal.note_memory(self.order.id, memory)
            self._remembered = memory

    @property
    def proven(self) -> frozenset[int]:
        """The shots that need not be taken again: recorded by every camera, and no file of theirs lost."""
        lost = {shot for _, shot in self.haul.lost.values() if shot is not None}
        return self.ledger.proven - lost

    def _act(self, action: Action, group: asyncio.TaskGroup) -> None:
        match action:
            case Step():
                self.carrier.do(action)
            case Divert():
                self.carrier.divert(action.landing)
            case LookAt():
                self.carrier.look_at(action.place, action.ground_m)
                if action.shoots:
                    self.carrier.shoot()
            case LookAhead():
                self.carrier.look_ahead()
            case DockAction():
                self._tell_dock(self.machine.dock_id, action, group)
            case Need.CLOSE_HOME:
                self._tell_dock(self.order.dock.id, DockAction.CLOSE, group)
            case Need.CHECK_PROFILE:
                self.carrier.prepare()
            case Need.UPLOAD:
                self.carrier.load()
            case Need.CLEAR:
                self.carrier.clear()

    def _tell_dock(self, dock: str, action: DockAction, group: asyncio.TaskGroup) -> None:
        docks = self._around.docks
        running = self._dock_tasks.get((dock, action))
        if docks is None or (running is not None and not running.done()):
            return
        if action is DockAction.CLOSE and self._around.needs_door(dock, self.order.id):
            self._dock_refusal = "another drone needs it open"
            return
        self._dock_tasks[dock, action] = group.create_task(self._tell_dock_now(docks, dock, action))

    async def _tell_dock_now(self, docks: DockClient, dock: str, action: DockAction) -> None:
        try:
            await docks.tell(dock, action, self.order.drone)
            self._dock_refusal = None
        except DockFailed as error:
            self._dock_refusal = str(error)

    def _sight(self) -> Sight:
        seen = self.carrier.progress()
        docks = self._around.docks
        if seen.vehicle is not None and self._journalled.may_be_airborne:
            self.reached = max(self.reached, seen.vehicle.reached)
        return Sight(
            vehicle=seen.vehicle,
            flying=seen.flying,
            mode=seen.mode,
            leg=seen.leg,
            blind=seen.blind,
            dock=docks.state(self.machine.dock_id) if docks is not None else None,
            profile=seen.profile,
            upload=seen.upload,
            refusals=seen.refusals,
            dock_refusal=self._dock_refusal,
            uncounted=len(seen.cameras - self.ledger.counted.keys()),
            taken=self.ledger.taken,
            files=self.haul.files,
            files_wanted=self.ledger.files_wanted,
        )

    def _on_camera(self, event: CameraEvent) -> None:
        stage = self.machine.stage
        on_ground = not self._taken_up and stage in _BEFORE_FLIGHT
        match event:
            case CameraCount():
                self.ledger.count(event.component, event.count, before=on_ground, after=self.machine.landed)
            case ShutterFired() if stage.may_be_airborne:
                self._note_shutter(event)
            case PictureTaken() if not on_ground and event.good and event.url:
                self._note_aside(event.component, event.index)
                if self.ledger.add(event):
                    self._around.frames.want(self.haul, event, self.ledger.shot_of(event))

    def _note_aside(self, camera: int, index: int) -> None:
        """Set a picture aside that was taken while the camera followed something."""
        if self.machine.looks_aside(self.carrier.now()):
            self.ledger.set_aside(camera, index, self.machine.pursuits)

    def _note_shutter(self, fired: ShutterFired) -> None:
        """Count by the number the autopilot tells; the first is kept on disk, it cannot be asked for."""
        if AUTOPILOT not in self.ledger.counted:
            self.ledger.counted[AUTOPILOT] = fired.index - 1
            self._around.journal.note_counted(self.order.id, self.ledger.counted)
        self._note_aside(AUTOPILOT, fired.index)
        self.ledger.note_shutter(fired)

    def _ask_lost_records(self) -> None:
        """Ask the cameras again for counts and records the link lost, before, in and after the flight."""
        now = self.carrier.now()
        stage = self.machine.stage
        if stage is Stage.ARMING and now - self._asked_s >= _COUNT_AGAIN_S:
            self._asked_s = now
            if self.carrier.progress().cameras - self.ledger.counted.keys():
                self.carrier.ask_shots()
        if not (stage.may_be_airborne or stage in (Stage.CLOSING, Stage.COLLECTING)):
            return
        if now - self._asked_s < _ASK_AGAIN_S and stage is self._asked_in:
            return
        self._asked_s, self._asked_in = now, stage
        self.carrier.ask_shots(self.ledger.all_missing())
        if stage is Stage.COLLECTING:
            self._around.frames.want_lost(self.haul)

    def _event(self, report: Report) -> dict[str, Any]:
        event: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "sortie": self.order.id,
            "drone": self.order.drone,
            "state": report.state,
            "at": self.carrier.clock.now().isoformat(),
            "evidence": report.evidence,
            "shots": {
                "planned": self.order.shots,
                "taken": self.ledger.taken,
                "files": self.haul.files,
            },
        }
        if self.machine.pursuit is not None:
            pursuit = self.machine.pursuit
            left = timedelta(seconds=pursuit.until_s - self.carrier.now())
            event["follows"] = pursuit.told | {"until_at": (self.carrier.clock.now() + left).isoformat()}
        if self.machine.landed_from_dock_m is not None:
            event["landed_from_dock_m"] = round(self.machine.landed_from_dock_m, 2)
        landed_at = self.machine.landed_at
        if landed_at is not None:
            place = landed_at.place
            event["landed_at"] = {
                "kind": landed_at.kind,
                "id": landed_at.id,
                "lat_deg": place.lat_deg if place else None,
                "lon_deg": place.lon_deg if place else None,
            }
        if self.machine.stage.is_over:
            event["proven"] = sorted(self.proven)
        return event
