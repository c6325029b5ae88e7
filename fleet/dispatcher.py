"""Runs one sortie: shows the machine what is seen and does what it answers.

Journal first, act second: the stage and the reports of a step are on disk
before anything of it is sent. Cancelling a dispatcher stops nothing in the air;
the drone finishes its verified mission and comes home by itself.
"""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.autopilots import Step
from fleet.carrier import CameraEvent, Carrier
from fleet.docks import DockAction, DockClient
from fleet.errors import DockFailed
from fleet.frames import Frames, Haul
from fleet.journal import Journal, OpenSortie
from fleet.messages import CameraCount, PictureTaken, ShutterFired
from fleet.order import SortieOrder
from fleet.pictures import PictureLedger
from fleet.recorder import Recorder
from fleet.sortie import SortieMachine
from fleet.stages import Need, Report, Sight, Stage, Wish

_COLLECT_WALL_S = 120.0  # pictures are rendered and carried in wall time
_ASK_AGAIN_S = 10.0
_BEFORE_FLIGHT = (Stage.PREFLIGHT, Stage.CHARGING, Stage.DOOR, Stage.PROFILE, Stage.UPLOAD)
_AUTOPILOT = 1  # its component, beside those of the cameras
_HEARD_WITHIN_S = 30.0  # simulated: a restarted gateway waits so long for a word of the drone


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a dispatcher works with, the same for all sorties of a gateway."""

    folder: Path
    journal: Journal
    frames: Frames
    docks: DockClient | None
    told: Callable[[], None]


class Dispatcher:
    """One sortie on one carrier; `run` returns when it is over."""

    def __init__(self, order: SortieOrder, carrier: Carrier, around: Surroundings) -> None:
        self.order = order
        self.carrier = carrier
        self.items = carrier.autopilot.mission(order.items, order.dock)
        self.ledger = PictureLedger(order.shot_places())
        self.haul = Haul(order.id, order.drone)
        self.tlog = around.folder / f"{order.id}.tlog"
        self.machine = SortieMachine(
            order,
            has_dock=around.docks is not None,
            now=carrier.now(),
            item_count=len(self.items),
            collect_s=max(180.0, _COLLECT_WALL_S * carrier.clock.speed),
        )
        self.reached = 0
        self._around = around
        self._journalled = Stage.PREFLIGHT
        self._dock_refusal: str | None = None
        self._dock_tasks: dict[DockAction, asyncio.Task[None]] = {}
        self._asked_s = float("-inf")
        self._asked_in = Stage.PREFLIGHT
        self._taken_up = False

    def wish(self, wish: Wish) -> str | None:
        """Note what a person asks for; return why it cannot be done, if it cannot."""
        return self.machine.wish(wish)

    async def run(self, taken_up: OpenSortie | None = None) -> None:
        """Fly the sortie, or go on with one that an earlier process began."""
        self.carrier.on_camera = self._on_camera
        self.carrier.upload = None
        self.carrier.profile = None
        self.carrier.refusals.clear()
        with Recorder(self.tlog, self.carrier.clock) as recorder:
            self.carrier.link.taps.append(recorder.write)
            try:
                if taken_up is not None:
                    await self._take_up(taken_up)
                async with asyncio.TaskGroup() as group:
                    await self._fly(group)
            finally:
                self.carrier.link.taps.remove(recorder.write)
                if self.carrier.on_camera == self._on_camera:  # the next sortie may have begun already
                    self.carrier.on_camera = None

    async def _take_up(self, open_sortie: OpenSortie) -> None:
        counted = dict(open_sortie.counted)
        fired_before = counted.pop(_AUTOPILOT, None)
        if fired_before is not None:
            self.ledger.shutters.add(fired_before + 1)
        self.ledger.counted = counted
        self._taken_up = True
        self._journalled = open_sortie.stage
        began = self.carrier.now()
        while self.carrier.state is None and self.carrier.now() - began < _HEARD_WITHIN_S:
            await self.carrier.beat()
        self.machine.reattach(open_sortie.stage, self._sight(), self.carrier.now())
        self.carrier.ask_counts()

    async def _fly(self, group: asyncio.TaskGroup) -> None:
        while not self.machine.stage.is_over:
            actions = self.machine.step(self._sight(), self.carrier.now())
            self._note([a for a in actions if isinstance(a, Report)])
            for action in actions:
                self._act(action, group)
            self._ask_lost_records()
            await self.carrier.beat()

    def _note(self, reports: list[Report]) -> None:
        journal = self._around.journal
        for report in reports:
            journal.note_event(self._event(report))
        if self.machine.stage is not self._journalled:
            if self.machine.stage is Stage.ARMING:
                journal.note_counted(self.order.id, self.ledger.counted)
            journal.note_stage(self.order.id, self.machine.stage)
            self._journalled = self.machine.stage
        if reports:
            self._around.told()

    def _act(self, action: Step | DockAction | Need | Report, group: asyncio.TaskGroup) -> None:
        match action:
            case Step():
                self.carrier.do(action)
            case DockAction():
                self._tell_dock(action, group)
            case Need.CHECK_PROFILE:
                wanted = self.carrier.autopilot.profile(self.order)
                self.carrier.start_profile(wanted, write=True)
                self.carrier.ask_counts()
            case Need.UPLOAD:
                self.carrier.start_upload(self.items)
            case Need.CLEAR:
                self.carrier.start_clear()

    def _tell_dock(self, action: DockAction, group: asyncio.TaskGroup) -> None:
        docks = self._around.docks
        running = self._dock_tasks.get(action)
        if docks is None or (running is not None and not running.done()):
            return
        self._dock_tasks[action] = group.create_task(self._tell_dock_now(docks, action))

    async def _tell_dock_now(self, docks: DockClient, action: DockAction) -> None:
        try:
            await docks.tell(self.order.dock.id, action, self.order.drone)
            self._dock_refusal = None
        except DockFailed as error:
            self._dock_refusal = str(error)

    def _sight(self) -> Sight:
        carrier = self.carrier
        state = carrier.state
        docks = self._around.docks
        if state is not None and self._journalled.may_be_airborne:
            self.reached = max(self.reached, state.reached)
        return Sight(
            vehicle=state,
            flying=carrier.flying,
            mode=carrier.mode_name,
            dock=docks.state(self.order.dock.id) if docks is not None else None,
            profile=carrier.profile.result if carrier.profile is not None else None,
            upload=carrier.upload.result if carrier.upload is not None else None,
            refusals=carrier.refusals,
            dock_refusal=self._dock_refusal,
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
                self._note_shutter(event.index)
            case PictureTaken() if not on_ground and event.good and event.url:
                if self.ledger.add(event):
                    self._around.frames.want(self.haul, event, self.ledger.shot_of(event))

    def _note_shutter(self, number: int) -> None:
        """Count by the number the autopilot tells once; the first is kept on disk, it cannot be asked."""
        if not self.ledger.shutters:
            counted = {**self.ledger.counted, _AUTOPILOT: number - 1}
            self._around.journal.note_counted(self.order.id, counted)
        self.ledger.shutters.add(number)

    def _ask_lost_records(self) -> None:
        """Ask the cameras again for records the link lost, while flying and after."""
        now = self.carrier.now()
        stage = self.machine.stage
        if stage not in (Stage.FLYING, Stage.RETURNING, Stage.CLOSING, Stage.COLLECTING):
            return
        if now - self._asked_s < _ASK_AGAIN_S and stage is self._asked_in:
            return
        self._asked_s, self._asked_in = now, stage
        self.carrier.ask_counts()
        for camera, index in self.ledger.all_missing():
            self.carrier.ask_picture(camera, index)
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
        if self.machine.landed_from_dock_m is not None:
            event["landed_from_dock_m"] = round(self.machine.landed_from_dock_m, 2)
        return event
