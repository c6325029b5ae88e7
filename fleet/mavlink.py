"""The MAVLink carrier: one vehicle on one link, its heartbeat, and the machines that speak to it.

It moves messages between a link and the machines (transfer, commands,
parameters) and folds what it hears into the vehicle's state. Machines run on
simulated seconds of a steady clock; our own heartbeat goes out once in each.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast, get_args

import structlog

from fleet.autopilots import Autopilot, Flying, Step
from fleet.autopilots.choice import autopilot_of
from fleet.carrier import CameraEvent, Progress
from fleet.clearing import Clear
from fleet.commanding import Commands, Outcome, Told
from fleet.groundgrid import ground_blocks
from fleet.link import Link
from fleet.loading import Loading, loading_of
from fleet.messages import (
    Alive,
    Answer,
    Command,
    CommandAnswer,
    GroundWanted,
    Heard,
    Heartbeat,
    Item,
    Outgoing,
    Parameter,
    ParameterSet,
    Role,
    Transfer,
)
from fleet.order import Ground, SortieOrder
from fleet.parameters import Profile, ProfileResult, Remembered, Wanted
from fleet.patience import Patience
from fleet.placement import Placement
from fleet.recorder import Recorder
from fleet.stages import Leg
from fleet.transfer import UploadResult
from fleet.vehicle import Contact, Vehicles, VehicleState
from missions.clock import Clock
from missions.geo import LatLon
from missions.items import DO_MOUNT_CONTROL, IMAGE_START_CAPTURE

_HEARTBEAT_S = 1.0
_TICK_S = 0.1
_SHORTEST_TICK_WALL_S = 0.02
_SILENT_STREAMS_S = 5.0
_REQUEST_MESSAGE = 512
_CAPTURE_STATUS = 262.0
_IMAGE_CAPTURED = 263.0
_AUTOPILOT_VERSION = 148.0
_ABILITIES_AGAIN_S = 3.0
_ABILITY_ASKS = 5
_AUTOPILOT = 1
_LOOK_AT, _LOOK_AT_NOTHING = 195, 197  # DO_SET_ROI_LOCATION, DO_SET_ROI_NONE
# DO_SET_MODE, DO_PAUSE_CONTINUE, DO_SET_MISSION_CURRENT, MISSION_START, COMPONENT_ARM_DISARM
_STEERING = frozenset((176, 193, 224, 300, 400))
_ABOVE_SEA = 0
_BY_ANGLES = 2.0  # MAV_MOUNT_MODE_MAVLINK_TARGETING
_ONE_PICTURE = (0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
_LOOP_JITTER_WALL_S = 0.05  # what a busy machine adds to any answer

# Sped up, a pause of the machine looks like a long silence of the drone.
_STALL_WALL_S = 0.5

_log = structlog.get_logger()

_TRANSFER = get_args(Transfer)
_CAMERA = get_args(CameraEvent)


async def listen(link: Link, carriers: Sequence["MavlinkCarrier"]) -> None:
    """Hand everything a link brings to the vehicles on it, until cancelled."""
    hearers: dict[int, list[MavlinkCarrier]] = {}
    async for batch in link.batches():
        for heard in batch:
            found = hearers.get(heard.system)
            if found is None:
                found = [c for c in carriers if c.system in (0, heard.system)]
                if all(c.system for c in carriers):  # else one may yet take the first vehicle heard
                    hearers[heard.system] = found
            for carrier in found:
                _hear_safely(carrier, heard)


def _hear_safely(carrier: "MavlinkCarrier", heard: Heard) -> None:
    """Hand a message on; one that nobody foresaw must not end the flights of a whole region."""
    try:
        carrier.hear(heard)
    except Exception:
        carrier.link.counts.unreadable += 1
        _log.exception("a message could not be handled", link=heard.link, system=heard.system)


class MavlinkCarrier:
    """Speaks to one vehicle; `run` and `listen` must be running. `system` 0 takes the first vehicle heard."""

    def __init__(
        self,
        link: Link,
        clock: Clock,
        *,
        system: int = 0,
        autopilot: Autopilot | None = None,
        ground: Ground | None = None,
    ) -> None:
        self.link = link
        self.clock = clock
        self.system = system
        self.loading: Loading | None = None
        self.profile: Profile | None = None
        self.refusals: dict[Step, str] = {}
        self.cameras: set[int] = set()
        self.on_camera: Callable[[CameraEvent], None] | None = None
        self._given = autopilot
        self._ground = ground
        self._order: SortieOrder | None = None
        self._looks: tuple[tuple[float | None, bool], ...] = ()
        self._clear: Clear | None = None
        self._commands = Commands(retry_s=max(1.0, 4 * _LOOP_JITTER_WALL_S * clock.speed))
        jitter_s = _LOOP_JITTER_WALL_S * clock.speed
        self._fires_cameras = True
        self._patience = Patience(resend_s=max(0.25, jitter_s), floor_s=max(0.05, jitter_s))
        self._remembered = Remembered()
        self._known_ids: dict[tuple[Item, ...], int] = {}
        self._vehicles = Vehicles(slack_s=_STALL_WALL_S * clock.speed if clock.speed > 1 else 0.0)
        self._beat = asyncio.Event()
        self._beat_s = float("-inf")
        self._streams_s = float("-inf")
        self._abilities_s = float("-inf")
        self._ability_asks = _ABILITY_ASKS

    def now(self) -> float:
        """Return the steady clock, in simulated seconds."""
        return time.monotonic() * self.clock.speed

    @property
    def state(self) -> VehicleState | None:
        """The vehicle as last heard."""
        return self._vehicles.of_system(self.system) if self.system else None

    @property
    def autopilot(self) -> Autopilot:
        """How to speak to the vehicle: as it was said, or else by its heartbeat."""
        state = self.state
        return self._given or autopilot_of(state.firmware if state else None)

    @property
    def flying(self) -> Flying:
        """What the vehicle's mode means."""
        state = self.state
        return self.autopilot.flying(state.mode if state else None)

    @property
    def mode_name(self) -> str:
        """The vehicle's mode by name."""
        state = self.state
        return self.autopilot.mode_name(state.mode if state else None)

    async def run(self) -> None:
        """Keep time until cancelled; silence makes no event, so this one wait is a sleep."""
        tick_s = max(_SHORTEST_TICK_WALL_S, _TICK_S / self.clock.speed)
        while True:
            self._tick(self.now())
            self._beat.set()
            self._beat = asyncio.Event()
            await asyncio.sleep(tick_s)

    async def beat(self) -> None:
        """Wait for the next tick."""
        await self._beat.wait()

    def hear(self, heard: Heard) -> None:
        """Take in what a link brought; what is not of this vehicle is passed over."""
        message = heard.message
        now = self.now()
        if isinstance(message, Heartbeat) and not self.system and message.role is Role.VEHICLE:
            self.system = heard.system
        if heard.system != self.system:
            return
        self._vehicles.hear(heard, now)
        if isinstance(message, Heartbeat):
            if message.role is Role.CAMERA:
                self.cameras.add(heard.component)
        elif isinstance(message, CommandAnswer):
            self._send(self._commands.receive(message, now, heard.component))
        elif isinstance(message, _CAMERA):
            if self.on_camera is not None:
                self.on_camera(cast(CameraEvent, message))
        elif heard.component == 1:
            self._hear_protocols(heard, now)

    # --- what a sortie asks ---

    def begin(self, order: SortieOrder) -> None:
        self._order, self._looks = order, order.looks()
        self.loading = None
        self.profile = None
        self.refusals.clear()

    def prepare(self) -> None:
        if self._order is not None:
            self.start_profile(self.autopilot.profile(self._order), write=True)
            self.ask_shots()

    def load(self) -> None:
        order = self._order
        if order is None:
            return
        self._clear = None
        items, most = self._aboard[0], self.autopilot.most_items
        if len(items) > most:
            reason = f"it has {len(items)} items, and {self.autopilot.name} holds {most}"
            self.loading = Loading([])
            self.loading.result = UploadResult(verified=False, uploaded=False, reason=reason)
            return
        abilities = self.state.abilities if self.state is not None else None
        files = abilities is not None and abilities.has_files
        self.loading = loading_of(
            order,
            items,
            self.autopilot,
            self._patience,
            files=files,
            known_id=self._known_ids.get(items, 0),
            keeps=abilities.lists if abilities is not None else (),
        )
        self._send(self.loading.start(self.now()))

    def clear(self) -> None:
        self.loading = None
        self._clear = Clear(first=self.autopilot.first, patience=self._patience)
        self._send(self._clear.start(self.now()))

    def do(self, step: Step) -> None:
        proven = self.loading.result if self.loading is not None else None
        if step is Step.ARM and (proven is None or not proven.verified):
            self.refusals[step] = "what is on board is not proven to be the sortie's mission"
            return
        state = self.state
        commands = self.autopilot.commands(step, state.mode if state else None)
        self._steer(commands, self._teller(step), self._keeper(step))

    def divert(self, landing: str) -> None:
        self.jump(self._aboard[1][landing])

    def jump(self, seq: int) -> None:
        """Order the vehicle to fly its list from an item on."""
        state = self.state
        self._steer(self.autopilot.jump(seq, state.mode if state else None))

    def _steer(
        self, commands: Sequence[Command], told: Told | None = None, kept: Callable[[], bool] | None = None
    ) -> None:
        """Ask for what steers: an older start that is still repeated would undo a recall."""
        now, numbers = self.now(), {command.number for command in commands}
        if numbers <= _STEERING:
            self._commands.withdraw(_STEERING - numbers, now)
        for command in commands:
            self._send(self._commands.ask(command, now, told, kept=kept, urgent=True))

    def look_at(self, place: LatLon, ground_m: float) -> None:
        self._commands.withdraw((_LOOK_AT_NOTHING, DO_MOUNT_CONTROL), self.now())
        params = (0.0, 0.0, 0.0, 0.0, place.lat_deg, place.lon_deg, ground_m)
        self._send(self._commands.ask(Command(_LOOK_AT, params, frame=_ABOVE_SEA), self.now(), urgent=True))

    def look_ahead(self) -> None:
        """Take the look back, and give the camera the pitch that the mission gave it last."""
        now = self.now()
        self._commands.withdraw((_LOOK_AT,), now)
        self._send(self._commands.ask(Command(_LOOK_AT_NOTHING), now, urgent=True))
        pitch_deg, _ = self._looking()
        if pitch_deg is not None:
            point = Command(DO_MOUNT_CONTROL, (pitch_deg, 0.0, 0.0, 0.0, 0.0, 0.0, _BY_ANGLES))
            self._send(self._commands.ask(point, now, urgent=True))

    def shoot(self) -> None:
        self._send(self._commands.ask(Command(IMAGE_START_CAPTURE, _ONE_PICTURE), self.now()))

    def order(self, command: Command) -> None:
        """Send any command, repeated until it is answered."""
        self._send(self._commands.ask(command, self.now()))

    def progress(self) -> Progress:
        return Progress(
            vehicle=self.state,
            flying=self.flying,
            mode=self.mode_name,
            leg=self._leg(),
            blind=self._looking()[1],
            profile=self._profiled(),
            upload=self.loading.result if self.loading is not None else None,
            refusals=self.refusals,
            cameras=frozenset(self.cameras),
        )

    def ask_shots(self, missing: Sequence[tuple[int, int]] = ()) -> None:
        if self._fires_cameras:
            self._ask_message(_AUTOPILOT, _CAPTURE_STATUS, told=self._told_of_cameras)
        for camera in self.cameras:
            self._ask_message(camera, _CAPTURE_STATUS)
        for camera, index in missing:
            self._ask_message(camera, _IMAGE_CAPTURED, float(index))

    @contextmanager
    def recording(self, path: Path) -> Iterator[None]:
        with Recorder(path, self.clock) as recorder:
            self.link.taps.append(recorder.write)
            try:
                yield
            finally:
                self.link.taps.remove(recorder.write)

    @property
    def item_count(self) -> int:
        """How many items are put on board for the sortie at hand."""
        return len(self._aboard[0])

    @property
    def loaded(self) -> str:
        """How far the loading is, for the person who waits for it."""
        upload = self.loading.current if self.loading is not None else None
        if not isinstance(upload, Placement):
            return "looking at what is on board"
        return f"{upload.stage}: item {upload.sent} of {len(upload.items)}"

    def start_profile(self, wanted: Sequence[Wanted], *, write: bool) -> Profile:
        """Begin to compare parameters."""
        hash_name = self.autopilot.hash_name
        self.profile = Profile(wanted, write=write, hash_name=hash_name, remembered=self._remembered)
        self._send(self.profile.start(self.now()))
        return self.profile

    # --- how it is done ---

    @property
    def _aboard(self) -> tuple[tuple[Item, ...], dict[str, int]]:
        """The list on board, and where in it each landing's items begin."""
        if self._order is None:
            return (), {}
        items, starts = self._order.flown(climbs_in_place=self.autopilot.climbs_in_place)
        placed = {landing: at + self.autopilot.first for landing, at in starts.items()}
        return self.autopilot.mission(items, self._order.dock), placed

    def _profiled(self) -> ProfileResult | None:
        """Return how the parameters stand; where not one could be read, that nobody knows."""
        found = self.profile.result if self.profile is not None else None
        if self.profile is None or found is None or len(found.unknown) < len(self.profile.wanted):
            return found
        return replace(found, by_hand=(*found.by_hand, "not one parameter could be read: check the link"))

    def _leg(self) -> Leg | None:
        current = self.state.current if self.state is not None else None
        if current is None or self._order is None:
            return None
        home = len(self._order.items) - 1 + self.autopilot.first
        return Leg.OUT if current < home else Leg.HOME if current == home else Leg.ELSEWHERE

    def _looking(self) -> tuple[float | None, bool]:
        """Return the pitch that the mission gave the camera, and whether it is over no-photo ground."""
        current = self.state.current if self.state is not None else None
        at = -1 if current is None else current - self.autopilot.first
        return self._looks[at] if 0 <= at < len(self._looks) else (None, False)

    def _tick(self, now: float) -> None:
        if now - self._beat_s >= _HEARTBEAT_S:
            self._beat_s = now
            self.link.send(Alive(), self.system)
        self._ask_streams(now)
        self._ask_abilities(now)
        self._send(self._commands.tick(now))
        for machine in (self.loading, self._clear, self.profile):
            if machine is not None:
                self._send(machine.tick(now))

    def _hear_protocols(self, heard: Heard, now: float) -> None:
        message = heard.message
        if isinstance(message, Parameter) and self.profile is not None:
            read = replace(message, value=self.autopilot.read_number(message))
            self._send(self.profile.receive(read, now))
        elif isinstance(message, GroundWanted) and self._ground is not None:
            self._send(ground_blocks(message, self._ground))
        elif isinstance(message, _TRANSFER):
            machine = self.loading or self._clear
            if machine is not None:
                self._send(machine.receive(cast(Transfer, message), now))
                self._note_id()

    def _note_id(self) -> None:
        """Remember the number by which the vehicle tells the mission that was proven on board."""
        found = self.loading.result if self.loading is not None else None
        if found is not None and found.verified and found.opaque_id:
            self._known_ids[self._aboard[0]] = found.opaque_id

    def _ask_streams(self, now: float) -> None:
        """Ask for telemetry when there is none: at first, and again after a reboot."""
        state = self.state
        if state is None or state.contact(now) is Contact.LOST or now - self._streams_s < _SILENT_STREAMS_S:
            return
        if now - state.moved_s > _SILENT_STREAMS_S or state.fix is None or state.ready_to_arm is None:
            self._streams_s = now
            for command in self.autopilot.streams():
                self._send(self._commands.ask(command, now))
            self.ask_shots()

    def _ask_abilities(self, now: float) -> None:
        """Ask what the autopilot can do until it says so; one that never does is asked a few times."""
        state = self.state
        known = state is None or state.abilities is not None
        if known or not self._ability_asks or now - self._abilities_s < _ABILITIES_AGAIN_S:
            return
        self._ability_asks -= 1
        self._abilities_s = now
        self._ask_message(_AUTOPILOT, _AUTOPILOT_VERSION)

    def _ask_message(
        self, component: int, message_id: float, index: float = 0.0, told: Told | None = None
    ) -> None:
        command = Command(_REQUEST_MESSAGE, (message_id, index, 0.0, 0.0, 0.0, 0.0, 0.0), component)
        self._send(self._commands.ask(command, self.now(), told))

    def _told_of_cameras(self, outcome: Outcome) -> None:
        """An autopilot that cannot count the pictures it fires for is not asked again."""
        self._fires_cameras = outcome.answer not in (Answer.UNSUPPORTED, Answer.DENIED, Answer.FAILED)

    def _teller(self, step: Step) -> Callable[[Outcome], None]:
        def told(outcome: Outcome) -> None:
            if outcome.done or outcome.replaced:
                self.refusals.pop(step, None)
            else:
                self.refusals[step] = outcome.words

        return told

    def _keeper(self, step: Step) -> Callable[[], bool]:
        def kept() -> bool:
            state = self.state
            return state is not None and self.autopilot.kept(step, armed=state.armed, mode=state.mode)

        return kept

    def _send(self, messages: Sequence[Outgoing]) -> None:
        for message in messages:
            if isinstance(message, ParameterSet):
                carried = self.autopilot.wire_number(message.value, message.kind)
                message = replace(message, value=carried)
            self.link.send(message, self.system)
