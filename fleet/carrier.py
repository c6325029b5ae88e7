"""One vehicle on one link: its state, its heartbeat, and the machines that speak to it.

The carrier moves messages between a link and the machines (transfer, commands,
parameters) and folds what it hears into the vehicle's state. Machines run on
simulated seconds of a steady clock; our own heartbeat goes out once in each.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import cast, get_args

from fleet.autopilots import Autopilot, Flying, Step
from fleet.clearing import Clear
from fleet.commanding import Commands, Outcome
from fleet.link import Link
from fleet.messages import (
    Alive,
    CameraCount,
    Command,
    CommandAnswer,
    Heard,
    Heartbeat,
    Item,
    Outgoing,
    Parameter,
    PictureTaken,
    Role,
    ShutterFired,
    Transfer,
)
from fleet.parameters import Profile, Wanted
from fleet.patience import Patience
from fleet.transfer import Upload
from fleet.vehicle import Contact, Vehicles, VehicleState
from missions.clock import Clock

_HEARTBEAT_S = 1.0
_TICK_S = 0.1
_SHORTEST_TICK_WALL_S = 0.02
_SILENT_STREAMS_S = 5.0
_REQUEST_MESSAGE = 512
_CAPTURE_STATUS = 262.0
_IMAGE_CAPTURED = 263.0
_LOOP_JITTER_WALL_S = 0.05  # what a busy machine adds to any answer

# Sped up, a pause of the machine looks like a long silence of the drone.
_STALL_WALL_S = 0.5

CameraEvent = PictureTaken | CameraCount | ShutterFired
_TRANSFER = get_args(Transfer)
_CAMERA = get_args(CameraEvent)


async def listen(link: Link, carriers: Sequence["Carrier"]) -> None:
    """Hand everything a link brings to the vehicles on it, until cancelled."""
    async for heard in link.heard():
        for carrier in carriers:
            carrier.hear(heard)


class Carrier:
    """Speaks to one vehicle; `run` and `listen` must be running. `system` 0 takes the first vehicle heard."""

    def __init__(self, link: Link, autopilot: Autopilot, clock: Clock, *, system: int = 0) -> None:
        self.link = link
        self.autopilot = autopilot
        self.clock = clock
        self.system = system
        self.upload: Upload | None = None
        self.profile: Profile | None = None
        self.refusals: dict[Step, str] = {}
        self.cameras: set[int] = set()
        self.on_camera: Callable[[CameraEvent], None] | None = None
        self._clear: Clear | None = None
        self._commands = Commands(retry_s=max(1.0, 4 * _LOOP_JITTER_WALL_S * clock.speed))
        self._vehicles = Vehicles(slack_s=_STALL_WALL_S * clock.speed if clock.speed > 1 else 0.0)
        self._beat = asyncio.Event()
        self._beat_s = float("-inf")
        self._streams_s = float("-inf")

    def now(self) -> float:
        """Return the steady clock, in simulated seconds."""
        return time.monotonic() * self.clock.speed

    @property
    def state(self) -> VehicleState | None:
        """The vehicle as last heard."""
        return self._vehicles.of_system(self.system) if self.system else None

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

    def do(self, step: Step) -> None:
        """Order a step; its effect is seen in the state, its refusal in `refusals`."""
        state = self.state
        for command in self.autopilot.commands(step, state.mode if state else None):
            self._send(self._commands.ask(command, self.now(), self._teller(step)))

    def start_upload(self, items: Sequence[Item]) -> Upload:
        """Begin to put a mission on board."""
        patience = Patience(resend_s=max(0.25, _LOOP_JITTER_WALL_S * self.clock.speed))
        self.upload = Upload(
            items,
            same=self.autopilot.same,
            first=self.autopilot.first,
            window=self.autopilot.window,
            patience=patience,
        )
        self._clear = None
        self._send(self.upload.start(self.now()))
        return self.upload

    def start_clear(self) -> None:
        """Begin to delete the mission on board."""
        self.upload = None
        self._clear = Clear(first=self.autopilot.first)
        self._send(self._clear.start(self.now()))

    def start_profile(self, wanted: Sequence[Wanted], *, write: bool) -> Profile:
        """Begin to compare parameters."""
        self.profile = Profile(wanted, write=write)
        self._send(self.profile.start(self.now()))
        return self.profile

    def ask_counts(self) -> None:
        """Ask each camera how many pictures it has taken."""
        for camera in self.cameras:
            self._ask_message(camera, _CAPTURE_STATUS)

    def ask_picture(self, camera: int, index: int) -> None:
        """Ask a camera for the record of one picture again."""
        self._ask_message(camera, _IMAGE_CAPTURED, float(index))

    def _tick(self, now: float) -> None:
        if now - self._beat_s >= _HEARTBEAT_S:
            self._beat_s = now
            self.link.send(Alive(), 0)
        self._ask_streams(now)
        self._send(self._commands.tick(now))
        for machine in (self.upload, self._clear, self.profile):
            if machine is not None:
                self._send(machine.tick(now))

    def _hear_protocols(self, heard: Heard, now: float) -> None:
        message = heard.message
        if isinstance(message, Parameter) and self.profile is not None:
            self._send(self.profile.receive(message, now))
        elif isinstance(message, _TRANSFER):
            machine = self.upload or self._clear
            if machine is not None:
                self._send(machine.receive(cast(Transfer, message), now))

    def _ask_streams(self, now: float) -> None:
        """Ask for telemetry when there is none: at first, and again after a reboot."""
        state = self.state
        if state is None or state.contact(now) is Contact.LOST or now - self._streams_s < _SILENT_STREAMS_S:
            return
        if now - state.moved_s > _SILENT_STREAMS_S or state.fix is None or state.ready_to_arm is None:
            self._streams_s = now
            for command in self.autopilot.streams():
                self._send(self._commands.ask(command, now))
            self.ask_counts()

    def _ask_message(self, camera: int, message_id: float, index: float = 0.0) -> None:
        command = Command(_REQUEST_MESSAGE, (message_id, index, 0.0, 0.0, 0.0, 0.0, 0.0), camera)
        self._send(self._commands.ask(command, self.now()))

    def _teller(self, step: Step) -> Callable[[Outcome], None]:
        def told(outcome: Outcome) -> None:
            if outcome.taken:
                self.refusals.pop(step, None)
            else:
                self.refusals[step] = outcome.words

        return told

    def _send(self, messages: Sequence[Outgoing]) -> None:
        for message in messages:
            self.link.send(message, self.system)
