"""What is known of a vehicle, folded from what it says.

`fold` is pure: a state and a message give the next state. Vehicles are keyed by
link, system and component, because two links may each carry a system 1 and
because an autopilot forwards the heartbeats of other ground stations, which
unfiltered look like a disarm. Silence is its own answer: a vehicle that is lost
is never taken for landed.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from fleet.messages import (
    Abilities,
    Estimate,
    Firmware,
    Fix,
    Ground,
    Health,
    Heard,
    Heartbeat,
    Home,
    Incoming,
    MissionState,
    Motion,
    Progress,
    Reached,
    Role,
    Said,
)

DEGRADED_S = 3.0
LOST_S = 10.0
_REMEMBERED = 20  # sentences of the vehicle kept for explaining a refusal
_NEAR_GROUND_M = 2.0


class Contact(StrEnum):
    """How well a vehicle is heard."""

    FRESH = "fresh"
    DEGRADED = "degraded"
    LOST = "lost"


class VehicleKey(NamedTuple):
    """Who a vehicle is: system 1 on one link is not system 1 on another."""

    link: str
    system: int
    component: int


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence of the vehicle and when it came."""

    at_s: float
    severity: int
    text: str


@dataclass(frozen=True)
class VehicleState:
    """A vehicle as last heard; None is "not said yet". Times are of the steady clock.

    Without slots, so that the next state is a copy of one dictionary: a thousand
    vehicles make thirteen thousand states a second.
    """

    key: VehicleKey
    firmware: Firmware = Firmware.OTHER
    heard_s: float = float("-inf")
    armed: bool | None = None
    mode: int | None = None
    ready_to_arm: bool | None = None
    has_position: bool | None = None
    fix: Fix | None = None
    motion: Motion | None = None
    moved_s: float = float("-inf")
    on_ground: bool | None = None
    home: Home | None = None
    battery_percent: float | None = None
    voltage_v: float | None = None
    current: int | None = None
    mission: MissionState = MissionState.UNKNOWN
    reached: int = 0
    said: tuple[Spoken, ...] = field(default=())
    abilities: Abilities | None = None
    slack_s: float = 0.0  # silence that is our own machine's, not the vehicle's

    def contact(self, now: float) -> Contact:
        """Return how well the vehicle is heard at a time."""
        silent_s = now - self.heard_s - self.slack_s
        if silent_s >= LOST_S:
            return Contact.LOST
        return Contact.DEGRADED if silent_s >= DEGRADED_S else Contact.FRESH

    def is_landed(self, now: float) -> bool:
        """Return whether it stands disarmed on the ground, known from fresh words of its own."""
        if self.contact(now) is Contact.LOST or self.armed is not False:
            return False
        if self.on_ground is not None:
            return self.on_ground
        return self.motion is not None and abs(self.motion.above_home_m) < _NEAR_GROUND_M

    @property
    def is_flying(self) -> bool:
        """Return whether it is in the air as far as anybody knows."""
        if self.armed is not True:
            return False
        if self.on_ground is not None:
            return not self.on_ground
        return self.motion is not None and self.motion.above_home_m > _NEAR_GROUND_M

    def complaints(self, since_s: float) -> tuple[str, ...]:
        """Return what it said at warning level or worse since a time, each sentence once."""
        texts = [s.text for s in self.said if s.at_s >= since_s and s.severity <= 4]
        return tuple(dict.fromkeys(texts))


def fold(state: VehicleState, message: Incoming, now: float) -> VehicleState:
    """Return the state after a message of this vehicle."""
    match message:
        case Heartbeat():
            begins = message.armed and state.armed is False
            return _changed(
                state,
                heard_s=now,
                firmware=message.firmware,
                armed=message.armed,
                mode=message.mode,
                reached=0 if begins else state.reached,
            )
        case Health():
            return _changed(
                state,
                ready_to_arm=message.ready_to_arm,
                battery_percent=message.battery_percent,
                voltage_v=message.voltage_v,
            )
        case Estimate():
            return _changed(state, has_position=message.has_position)
        case Fix():
            return _changed(state, fix=message)
        case Motion():
            return _changed(state, motion=message, moved_s=now)
        case Ground():
            return _changed(state, on_ground=message.landed)
        case Home():
            return _changed(state, home=message)
        case Progress():
            return _changed(state, current=message.seq, mission=message.state)
        case Reached():
            return _changed(state, reached=message.seq)
        case Abilities():
            return _changed(state, abilities=message)
        case Said():
            spoken = (*state.said, Spoken(now, message.severity, message.text))
            return _changed(state, said=spoken[-_REMEMBERED:])
    return state


def _changed(state: VehicleState, **changes: Any) -> VehicleState:
    """Return the state with some values changed, as `dataclasses.replace` does in eight times the time."""
    new = object.__new__(VehicleState)
    new.__dict__.update(state.__dict__)
    new.__dict__.update(changes)
    return new


@dataclass(slots=True)
class Vehicles:
    """All vehicles of all links, each under its own key."""

    states: dict[VehicleKey, VehicleState] = field(default_factory=dict)
    slack_s: float = 0.0

    def hear(self, heard: Heard, now: float) -> VehicleKey | None:
        """Take in a message; return whose state it changed, None if it is no vehicle's.

        A vehicle begins to exist with its own heartbeat, so what a camera or
        another ground station says founds nothing.
        """
        message = heard.message
        if isinstance(message, Heartbeat) and message.role is not Role.VEHICLE:
            return None
        key = VehicleKey(heard.link, heard.system, heard.component)
        state = self.states.get(key)
        if state is None:
            if not isinstance(message, Heartbeat):
                return None
            state = VehicleState(key, slack_s=self.slack_s)
        self.states[key] = fold(state, message, now)
        return key

    def of_system(self, system: int) -> VehicleState | None:
        """Return the autopilot with this system id that was heard last, on whichever link."""
        found = [s for k, s in self.states.items() if k.system == system and k.component == 1]
        return max(found, key=lambda s: s.heard_s, default=None)
