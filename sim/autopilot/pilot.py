"""The flying half of a vehicle without its messages, as far as all autopilots agree on it.

The pilot owns the drone's body. It is told what to do by the command handlers
and asked to step; it says what a ground station would read as STATUSTEXT. What
a mode means, what may arm and what a failsafe does is the personality's
(`arducopter`, `px4`), which fills in the methods without a body.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from missions.geo import LatLon
from sim.autopilot import items as it
from sim.autopilot.auto import MissionRun
from sim.autopilot.dialect import mav
from sim.autopilot.failsafe import BatteryWatch, GroundWatch, PositionWatch
from sim.autopilot.geofence import Crossed, Limits, Shape, crossed, shapes_of
from sim.autopilot.items import Item
from sim.autopilot.manoeuvres import Helm, Manoeuvre, Stay, TakeOff, Travel, WayHome
from sim.autopilot.parameters import Parameters
from sim.autopilot.terrain import TerrainMap
from sim.autopilot.tuning import Tuning
from sim.drone import Goal, Idle, Multirotor, Point, Rest
from sim.tangent import Tangent

FORCED = 21196  # the magic number of MAV_CMD_COMPONENT_ARM_DISARM
_FENCE_S = 1.0  # how often fences are looked at
PAD = Point(0.0, 0.0, 0.0)

Say = Callable[[int, str], None]


class FlightMode(Protocol):
    """What the common half asks of a mode; the numbers on the wire are the personality's."""

    @property
    def name(self) -> str: ...
    @property
    def custom_mode(self) -> int:
        """The number HEARTBEAT carries."""
        ...

    @property
    def base_flags(self) -> int:
        """The flags of base_mode, but for "armed"."""
        ...

    @property
    def needs_position(self) -> bool: ...
    @property
    def runs_mission(self) -> bool: ...
    @property
    def is_landing(self) -> bool: ...
    @property
    def comes_down(self) -> bool:
        """Whether being on the ground ends the flight in it, as after RTL and LAND."""
        ...


@dataclass(slots=True)
class Body:
    """What a pilot flies and flies by; it outlives a reboot of the autopilot."""

    drone: Multirotor
    params: Parameters
    lists: dict[int, list[Item]]  # mission, fence, rally
    tangent: Tangent
    pad_amsl_m: float
    ground_m: Callable[[float, float], float]
    terrain: TerrainMap


class Pilot(ABC):
    """The flying of one vehicle."""

    mode: FlightMode
    first_item = 0  # the number of the first item that is flown

    def __init__(self, body: Body, *, say: Say, do: Callable[[Item], bool], boot_s: float) -> None:
        self.body = body
        self.drone = body.drone
        self.params = body.params
        self.tangent = body.tangent
        self.pad_amsl_m = body.pad_amsl_m
        self.boot_s = boot_s
        self.now_s = boot_s
        self.armed = False
        self.auto_armed = False  # allowed to leave the ground by itself
        self.home: Point | None = None
        self.ground = self._ground_watch()
        self.battery = self._battery_watch()
        self.position = PositionWatch()
        self.shapes: tuple[Shape, ...] = ()
        self.crossed = Crossed.NONE
        self.breaches = 0
        self.breached_s: float | None = None
        self._say = say
        self._manoeuvre: Manoeuvre | None = None
        self._tuned: tuple[int, Tuning] | None = None
        self._idle_since_s: float | None = None
        self._fence_s = boot_s
        self.run = self._mission_run(do)
        self.speed_m_s = self.tuning.speed_m_s
        self.fence_replaced()

    # --- what a personality decides ---

    @abstractmethod
    def _ground_watch(self) -> GroundWatch: ...

    @abstractmethod
    def _battery_watch(self) -> BatteryWatch: ...

    @abstractmethod
    def _mission_run(self, do: Callable[[Item], bool]) -> MissionRun: ...

    @abstractmethod
    def _tune(self) -> Tuning:
        """Return how it flies by its parameters as they stand."""

    @abstractmethod
    def problem(self) -> str | None:
        """Return what keeps the motors from starting now, or None."""

    @abstractmethod
    def set_mode(self, mode: FlightMode) -> bool:
        """Change the mode, or say why not and return False."""

    @abstractmethod
    def arm(self, *, forced: bool = False) -> bool:
        """Start the motors, or say why not and return False."""

    @abstractmethod
    def start_mission(self) -> bool:
        """Begin the mission."""

    @abstractmethod
    def pause(self) -> bool:
        """Hover and stay in the mission."""

    @abstractmethod
    def resume(self) -> bool:
        """Fly on after `pause`."""

    @abstractmethod
    def way_home(self) -> WayHome:
        """Return where and how it would come home from here."""

    @abstractmethod
    def wake_in_flight(self, home: Point | None) -> None:
        """Go on flying after a reboot in the air: armed, knowing home, landing."""

    @abstractmethod
    def _watch(self) -> None:
        """Notice landings, crashes, idleness and failures, while armed."""

    @abstractmethod
    def _fence_limits(self) -> Limits:
        """Return the simple fences around home."""

    @abstractmethod
    def _fence_is_on(self) -> bool: ...

    @abstractmethod
    def _fence_crossed(self, new: Crossed, beyond_m: float) -> None:
        """Act on fences just crossed."""

    # --- what the telemetry reads ---

    @property
    def up_time_s(self) -> float:
        return self.now_s - self.boot_s

    @property
    @abstractmethod
    def has_position(self) -> bool: ...

    @property
    def landed(self) -> bool:
        return not self.drone.airborne

    @property
    def tuning(self) -> Tuning:
        """How it flies; worked out afresh when a parameter was set."""
        version = self.params.version
        if self._tuned is None or self._tuned[0] != version:
            self._tuned = version, self._tune()
            self.drone.limits = self._tuned[1].limits
        return self._tuned[1]

    @property
    def helm(self) -> Helm:
        return Helm(self.drone, self.tuning, self.home or PAD, self.speed_m_s)

    @property
    def in_failsafe(self) -> bool:
        return self.armed and (self.ground.failed or self.battery.low)

    @property
    def fence_is_on(self) -> bool:
        return self._fence_is_on()

    @property
    def is_returning(self) -> bool:
        """Whether it is on its way home or down."""
        if self.mode.runs_mission:
            item = self.run.item
            return self.run.running and item is not None and item.command in it.LAND_WORDS
        return self.mode.comes_down

    def locate(self, item: Item) -> Point:
        """Return an item's place in metres around the pad; without one, the drone's own."""
        east, north = self.drone.believed.east_m, self.drone.believed.north_m
        if item.has_place:
            east, north = self.tangent.to_local(item.x / 1e7, item.y / 1e7)
        home_up = self.home.up_m if self.home else 0.0
        match it.stored_frame(item.frame):
            case it.GLOBAL:
                return Point(east, north, item.z - self.pad_amsl_m)
            case it.TERRAIN:
                return Point(east, north, item.z + self.ground_known_m(east, north))
        return Point(east, north, item.z + home_up)

    def ground_known_m(self, east_m: float, north_m: float) -> float:
        """Return the ground's height above the pad as the terrain data served has it, else the pad's."""
        height = self.body.terrain.height_m(*self.tangent.to_place(east_m, north_m))
        return 0.0 if height is None else height - self.pad_amsl_m

    # --- what a ground station asks for ---

    def disarm(self, *, forced: bool = False) -> bool:
        """Stop the motors; in flight only by force."""
        if not self.armed:
            return True
        if self.drone.airborne and not forced:
            return False
        self.armed = False
        self.auto_armed = False
        self._manoeuvre = None
        self._disarmed()
        return True

    def _disarmed(self) -> None:
        """Do what follows from stopping the motors."""
        self._say(mav.MAV_SEVERITY_INFO, "Disarming motors")
        self.run.reset()

    def go_to(self, place: Point) -> bool:
        """Fly straight to a point where outside commands are taken, in the air."""
        return self.fly(Travel(self.helm, place))

    @abstractmethod
    def fly(self, manoeuvre: Manoeuvre) -> bool:
        """Fly a piece asked for from outside, if this mode takes such."""

    @abstractmethod
    def take_off(self, above_home_m: float) -> bool:
        """Climb to a height above home from the ground."""

    def set_home(self, place: LatLon, amsl_m: float) -> None:
        """Make another place home."""
        east, north = self.tangent.to_local(place.lat_deg, place.lon_deg)
        self.home = Point(east, north, amsl_m - self.pad_amsl_m)

    def mission_replaced(self) -> None:
        """Begin the current item afresh: every item written in the mission's mode does that."""
        if self.mode.runs_mission and self.armed and self.run.running and self.run.manoeuvre is not None:
            self.run.start_or_resume(self.helm)

    def fence_replaced(self) -> None:
        """Take the fence that is on board now."""
        self.shapes = shapes_of(self.body.lists[1], self.tangent)
        self.crossed = Crossed.NONE

    def rally_points(self) -> Sequence[Point]:
        """Return the rally points in metres around the pad."""
        return [self.locate(item) for item in self.body.lists[2]]

    # --- the passing of time ---

    def decide(self, now_s: float) -> Goal:
        """Return what the drone is to do until `now_s`."""
        self.now_s = now_s
        if self.home is None and self.has_position:
            self.home = self.drone.believed
        return self._goal()

    def follow_up(self) -> None:
        """Notice what came of the last step."""
        if self.armed:
            self._watch()
        elif self.battery.low:
            self.battery.recovered(self.now_s)
        if self.now_s - self._fence_s >= _FENCE_S:
            self._fence_s = self.now_s
            self._check_fence()

    def _goal(self) -> Goal:
        if not self.armed:
            return Rest()
        if self.mode.runs_mission:
            goal = self.run.goal(self.helm, self.now_s) if self.auto_armed else None
            if goal is None:
                return Idle() if self.landed else self._hold().goal(self.helm, self.now_s)
            return goal
        if self._manoeuvre is None:
            return Idle() if self.landed else self._hold().goal(self.helm, self.now_s)
        goal = self._manoeuvre.goal(self.helm, self.now_s)
        if self._manoeuvre.done and isinstance(self._manoeuvre, TakeOff):
            self._took_off()
        return goal

    def _took_off(self) -> None:
        """Go on after a climb that was asked for."""
        self._manoeuvre = Stay(self.helm)

    def _hold(self) -> Manoeuvre:
        self._manoeuvre = self._manoeuvre or Stay(self.helm)
        return self._manoeuvre

    def _check_fence(self) -> None:
        if not self._fence_is_on() or self.home is None:
            self.crossed = Crossed.NONE
            return
        now, beyond_m = crossed(self.drone.believed, self.home, self.shapes, self._fence_limits())
        new, self.crossed = now & ~self.crossed, now
        if new and self.armed:
            self.breaches += 1
            self.breached_s = self.now_s
            self._fence_crossed(new, beyond_m)

    def _refuse(self, text: str) -> bool:
        self._say(mav.MAV_SEVERITY_WARNING, text)
        return False
