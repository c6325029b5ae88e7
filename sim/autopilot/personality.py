"""What makes one vehicle an ArduCopter and another a PX4, behind one small interface."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from missions.model import DroneModel
from sim.autopilot import commands, px4_commands, telemetry
from sim.autopilot.arducopter import ArduCopter
from sim.autopilot.arducopter_parameters import arducopter_parameters
from sim.autopilot.dialect import Message, mav
from sim.autopilot.items import Item
from sim.autopilot.parameters import Parameters
from sim.autopilot.pilot import Body, Pilot, Say
from sim.autopilot.px4 import Px4
from sim.autopilot.px4_parameters import px4_parameters
from sim.autopilot.px4_transfer import Px4Transfers
from sim.autopilot.transfer import Answer, Transfers

if TYPE_CHECKING:
    from sim.autopilot.vehicle import Vehicle

Builder = Callable[["Vehicle"], Message | None]
Handler = Callable[["Vehicle", commands.Command], int]


class Lists(Protocol):
    """The lists of a vehicle and the protocol they come and go by."""

    lists: dict[int, list[Item]]
    replaced: list[int]
    changed: set[int]

    def receive(self, message: Message, link: int, now_s: float) -> list[Answer]: ...
    def tick(self, now_s: float) -> list[Answer]: ...


@dataclass(frozen=True, slots=True)
class Personality:
    """One autopilot: how its parts are made and what it answers to."""

    name: str
    kind: int  # MAV_AUTOPILOT
    parameters: Callable[[DroneModel, int, float], Parameters]
    transfers: Callable[[Callable[[], Item], Callable[[], bool]], Lists]
    pilot: Callable[[Body, Say, Callable[[Item], bool], float], Pilot]
    builders: Mapping[int, Builder]
    handlers: Mapping[int, Handler]
    set_mode: Callable[["Vehicle", int, int], int]  # what SET_MODE does: base_mode, custom_mode
    rates_hz: Mapping[int, float]  # what flows on a new link unasked
    feedback: bool  # whether the autopilot itself tells of pictures
    repeats_reached: int = 0  # how often MISSION_ITEM_REACHED is said again
    terrain: bool = True  # whether it asks for terrain data
    groups: bool = True  # whether REQUEST_DATA_STREAM is heard


ARDUCOPTER = Personality(
    name="arducopter",
    kind=mav.MAV_AUTOPILOT_ARDUPILOTMEGA,
    parameters=lambda model, system_id, speed: arducopter_parameters(model, system_id=system_id, speed=speed),
    transfers=lambda home, running: Transfers(home=home, running=running),
    pilot=lambda body, say, do, boot_s: ArduCopter(body, say=say, do=do, boot_s=boot_s),
    builders=telemetry.BUILDERS,
    handlers=commands.HANDLERS,
    set_mode=commands.set_mode,
    rates_hz={},
    feedback=True,
)

PX4 = Personality(
    name="px4",
    kind=mav.MAV_AUTOPILOT_PX4,
    parameters=lambda model, system_id, _speed: px4_parameters(model, system_id=system_id),
    transfers=lambda _home, _running: Px4Transfers(),
    pilot=lambda body, say, do, boot_s: Px4(body, say=say, do=do, boot_s=boot_s),
    builders=px4_commands.BUILDERS,
    handlers=px4_commands.HANDLERS,
    set_mode=px4_commands.set_mode,
    rates_hz=px4_commands.RATES_HZ,
    feedback=False,
    repeats_reached=10,
    terrain=False,
    groups=False,
)

PERSONALITIES = {p.name: p for p in (ARDUCOPTER, PX4)}

__all__ = ["ARDUCOPTER", "PERSONALITIES", "PX4", "Lists", "Personality"]
