"""A drone in virtual time: it flies a list of items, takes pictures, forgets nothing of them.

Much simpler than the simulator and sharing nothing with it: straight lines at
the ordered speed, a battery that empties evenly, two cameras whose records may
be lost on the link and can be asked for again. It is what a thousand cut sorties
can be flown on in a minute, by the real dispatcher, machine and journal.
"""

import asyncio
import math
import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from fleet.autopilots import Flying, Step
from fleet.carrier import CameraEvent, Progress
from fleet.messages import CameraCount, Fix, Motion, PictureTaken
from fleet.order import DockPlace, SortieOrder
from fleet.parameters import ProfileResult
from fleet.stages import Leg
from fleet.transfer import UploadResult
from fleet.vehicle import VehicleKey, VehicleState
from missions.clock import Clock, SystemClock
from missions.errors import WorkFailed
from missions.geo import LatLon, distance_m, moved
from missions.items import DO_CHANGE_SPEED, DO_MOUNT_CONTROL, NAV_TAKEOFF, NAV_WAYPOINT, MissionItem

CAMERAS = (100, 101)
_CLIMB_M_S = 4.0
_POWER_PERCENT_S = 100.0 / 1500.0
_SCATTER_M = 3.0  # of the places that cameras tell


@dataclass(slots=True)
class Shot:
    """One picture as it really was: which planned shot, by which camera, looking and flying how."""

    shot: int
    camera: int
    pitch_deg: float | None
    speed_m_s: float


@dataclass(slots=True)
class ModelDrone:
    """The drone itself. `loss` is the share of records that the link loses, each time."""

    name: str
    at: LatLon
    rng: random.Random
    loss: float = 0.1
    items: Sequence[MissionItem] = ()
    current: int = 0
    height_m: float = 0.0
    armed: bool = False
    flying: Flying = Flying.OTHER
    percent: float = 100.0
    speed_m_s: float = 10.0
    pitch_deg: float | None = None
    paused: bool = False
    heard: bool = True
    home: LatLon | None = None
    taken: list[Shot] = field(default_factory=list)
    records: dict[int, list[PictureTaken]] = field(default_factory=lambda: {c: [] for c in CAMERAS})
    tell: Callable[[CameraEvent], None] | None = None
    cameras: tuple[int, ...] = CAMERAS  # those that work now

    def fly(self, dt_s: float) -> None:
        """Let some time pass."""
        if not self.armed:
            return
        self.percent = max(0.0, self.percent - _POWER_PERCENT_S * dt_s)
        match self.flying:
            case Flying.MISSION if not self.paused:
                self._mission(dt_s)
            case Flying.RETURN:
                if self._go(self.home or self.at, self.speed_m_s * dt_s):
                    self._sink(dt_s)
            case Flying.LAND:
                self._sink(dt_s)

    def count(self, camera: int) -> CameraCount:
        """Return what a camera says when asked how many pictures it has."""
        return CameraCount(camera, len(self.records[camera]))

    def say(self, event: CameraEvent) -> None:
        """Send a camera's word, which the link may lose."""
        if self.tell is not None and self.heard and self.rng.random() >= self.loss:
            self.tell(event)

    def _mission(self, dt_s: float) -> None:
        item = self.items[self.current]
        if item.command == NAV_TAKEOFF:
            self.height_m = min(item.altitude_m, self.height_m + _CLIMB_M_S * dt_s)
            if self.height_m >= item.altitude_m:
                self._next()
        elif item.command == NAV_WAYPOINT:
            self.height_m = item.altitude_m
            if self._go(LatLon(item.lat_deg, item.lon_deg), self.speed_m_s * dt_s):
                self._next()
        elif self._go(self.home or self.at, self.speed_m_s * dt_s):
            self._sink(dt_s)

    def _next(self) -> None:
        """Go on to the next item to be flown, doing the others in passing."""
        self.current += 1
        while self.items[self.current].command not in (NAV_TAKEOFF, NAV_WAYPOINT, 20, 21):
            item = self.items[self.current]
            if item.command == DO_CHANGE_SPEED:
                self.speed_m_s = item.params[1]
            elif item.command == DO_MOUNT_CONTROL:
                self.pitch_deg = item.params[0]
            elif item.shot is not None:
                self._shoot(item.shot)
            self.current += 1

    def _shoot(self, shot: int) -> None:
        place = moved(self.at, self.rng.uniform(0.0, 360.0), self.rng.uniform(0.0, _SCATTER_M))
        for camera in self.cameras:
            known = self.records[camera]
            record = PictureTaken(
                *(camera, len(known), 0, place.lat_deg, place.lon_deg, self.height_m),
                *(0.0, self.pitch_deg, 0.0, True, f"model:{self.name}/{camera}/{len(known)}"),
            )
            known.append(record)
            self.taken.append(Shot(shot, camera, self.pitch_deg, self.speed_m_s))
            self.say(record)

    def _go(self, to: LatLon, step_m: float) -> bool:
        away_m = distance_m(self.at, to)
        if away_m <= step_m:
            self.at = to
            return True
        share = step_m / away_m
        self.at = LatLon(
            self.at.lat_deg + (to.lat_deg - self.at.lat_deg) * share,
            self.at.lon_deg + (to.lon_deg - self.at.lon_deg) * share,
        )
        return False

    def _sink(self, dt_s: float) -> None:
        self.height_m = max(0.0, self.height_m - 3.0 * dt_s)
        if self.height_m == 0.0:
            self.armed, self.flying, self.current = False, Flying.OTHER, 0


class ModelCarrier:
    """The way to a model drone: a carrier whose `beat` lets virtual time pass, and nothing waits."""

    def __init__(self, drone: ModelDrone, *, dt_s: float = 0.5) -> None:
        self.drone = drone
        self.clock: Clock = SystemClock()
        self.on_camera: Callable[[CameraEvent], None] | None = None
        self.each_beat: Callable[[], None] = lambda: None
        self._dt_s = dt_s
        self._now = 0.0
        self._order: SortieOrder | None = None
        self._profile: ProfileResult | None = None
        self._upload: UploadResult | None = None
        self._state: VehicleState | None = None

    def now(self) -> float:
        return self._now

    async def beat(self) -> None:
        self._now += self._dt_s
        self.drone.tell = self.on_camera
        self.drone.fly(self._dt_s)
        self.each_beat()
        await asyncio.sleep(0)

    def begin(self, order: SortieOrder) -> None:
        self._order = order
        self._profile = self._upload = None
        self.drone.tell = self.on_camera

    def prepare(self) -> None:
        self._profile = ProfileResult((), (), ())
        self.ask_shots()

    def load(self) -> None:
        assert self._order is not None
        drone = self.drone
        drone.items, drone.current = self._order.items, 0
        drone.home = self._order.dock.place
        self._upload = UploadResult(verified=True, uploaded=True)

    def clear(self) -> None:
        self.drone.items = ()

    def do(self, step: Step) -> None:
        drone = self.drone
        if not drone.heard:
            return
        match step:
            case Step.READY:
                drone.flying = Flying.READY
            case Step.ARM:
                drone.armed = True
            case Step.DISARM:
                drone.armed = drone.armed and drone.height_m > 0.0
            case Step.START:
                drone.flying = Flying.MISSION
            case Step.RECALL:
                drone.flying = Flying.RETURN
            case Step.LAND:
                drone.flying = Flying.LAND
            case Step.PAUSE | Step.RESUME:
                drone.paused = step is Step.PAUSE

    def divert(self, landing: str) -> None:
        raise WorkFailed(f"landing {landing} is not on board: the model drone has none")

    def look_at(self, place: LatLon, ground_m: float) -> None:
        raise WorkFailed("the model drone's camera does not turn")

    def look_ahead(self) -> None:
        raise WorkFailed("the model drone's camera does not turn")

    def shoot(self) -> None:
        raise WorkFailed("the model drone takes the pictures of its list alone")

    def progress(self) -> Progress:
        drone = self.drone
        if drone.heard:
            self._state = self._seen()
        return Progress(
            vehicle=self._state,
            flying=drone.flying,
            mode=drone.flying.value,
            leg=Leg.HOME if drone.items and drone.current >= len(drone.items) - 1 else Leg.OUT,
            profile=self._profile,
            upload=self._upload,
            cameras=frozenset(CAMERAS),
        )

    def ask_shots(self, missing: Sequence[tuple[int, int]] = ()) -> None:
        for camera in CAMERAS:
            self.drone.say(self.drone.count(camera))
        for camera, index in missing:
            if index < len(self.drone.records[camera]):
                self.drone.say(self.drone.records[camera][index])

    def recording(self, path: Path) -> AbstractContextManager[None]:
        return nullcontext()

    def _seen(self) -> VehicleState:
        drone = self.drone
        flies = drone.armed and drone.height_m > 0.1
        state = VehicleState(VehicleKey("model", 1, 1), heard_s=self._now, armed=drone.armed, mode=0)
        return replace(
            state,
            ready_to_arm=True,
            has_position=True,
            fix=Fix(3, 12),
            motion=Motion(drone.at.lat_deg, drone.at.lon_deg, 0.0, drone.height_m, 0.0, 0.0, 0.0),
            moved_s=self._now,
            on_ground=not flies,
            battery_percent=math.floor(drone.percent),
        )


def patrol(rng: random.Random, dock: DockPlace, name: str, drone: str) -> SortieOrder:
    """Return a sortie of lanes to and fro, the camera's attitude and the speed changing on the way."""
    shots, step_m = rng.randint(6, 24), rng.uniform(35.0, 60.0)
    a_lane, bearing = rng.randint(3, 7), rng.uniform(0.0, 360.0)
    corner = moved(dock.place, bearing, rng.uniform(60.0, 200.0))
    items = [_at(NAV_TAKEOFF, dock.place, 40.0), _speed(10.0), _pitch(-90.0)]
    for shot in range(shots):
        lane, along = divmod(shot, a_lane)
        along = along if lane % 2 == 0 else a_lane - 1 - along
        place = moved(moved(corner, bearing, lane * step_m), bearing + 90.0, along * step_m)
        if rng.random() < 0.15:
            items.append(_pitch(rng.choice((-90.0, -60.0, -30.0))))
        if rng.random() < 0.1:
            items.append(_speed(rng.choice((6.0, 8.0, 10.0))))
        items.append(_at(NAV_WAYPOINT, place, rng.choice((40.0, 55.0, 70.0))))
        items.append(MissionItem(2000, 2, (0.0, 0.0, 1.0, shot + 1.0), shot=shot))
    items.append(MissionItem(20, 2, (0.0, 0.0, 0.0, 0.0)))
    return SortieOrder(name, drone, dock, tuple(items), shots, expected_s=60.0 + 12.0 * shots)


def _at(command: int, place: LatLon, height_m: float) -> MissionItem:
    lat_deg, lon_deg = round(place.lat_deg, 7), round(place.lon_deg, 7)
    return MissionItem(command, 3, (0.0, 0.0, 0.0, 0.0), lat_deg, lon_deg, height_m)


def _speed(m_s: float) -> MissionItem:
    return MissionItem(DO_CHANGE_SPEED, 2, (1.0, m_s, -1.0, 0.0))


def _pitch(deg: float) -> MissionItem:
    return MissionItem(DO_MOUNT_CONTROL, 2, (deg, 0.0, 0.0, 0.0))
