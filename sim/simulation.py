"""The simulation put together: a world, its vehicles and docks, and the clock they share."""

import asyncio
import json
import math
import resource
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from missions.clock import Clock
from missions.errors import InputWrong
from missions.geo import LatLon
from missions.model import Dock, Drone, Site
from sim.autopilot.camera import Exposure
from sim.autopilot.personality import PERSONALITIES
from sim.autopilot.vehicle import Identity, Vehicle
from sim.camera import PictureJob, TruePose, file_name, take
from sim.dock import DockMachine, DockService
from sim.faults import FaultPlan
from sim.ground_under import ground_under
from sim.media import Media
from sim.mishaps import Mishaps
from sim.renderer import renderer
from sim.server import HOST, VehicleServer
from sim.swarm import Swarm
from sim.world import World

TRUTH_S = 60.0  # simulated
PAD_SPACING_M = 2.0
PADS_A_ROW = 10
MOST_SYSTEMS = 250
_SOCKETS_A_DRONE = 6  # two to listen, the rest for those who connect
_OTHER_FILES = 200
_ON_PAD_M = 2.5
_DOORWAY_M = 5.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the simulation is started with."""

    mavlink_port: int = 5860
    media_port: int = 0
    drones: int | None = None
    mqtt: str | None = None
    truth: Path | None = None
    seed: int = 1
    faults: FaultPlan = field(default_factory=FaultPlan)
    autopilot: str = "arducopter"


class Simulation:
    """One running simulation."""

    def __init__(self, world: World, clock: Clock, pictures: Path, options: Options) -> None:
        self.world = world
        self.site: Site = world.site
        self._clock = clock
        self._pictures = pictures
        self._options = options
        self._pool = renderer(world)
        self.media = Media(self._pool)
        self.servers: list[VehicleServer] = []
        self.docks: list[DockMachine] = []
        self._swarm = Swarm()
        self._numbers: dict[str, int] = {}  # unique: the system id as long as those are
        self._drones: list[Drone] = []  # in the order of the servers

    async def start(self) -> dict[str, Any]:
        """Open every socket and return where everything is."""
        await self.media.start(self._options.media_port)
        drones = crew(self.site, self._options.drones)
        _allow_sockets(len(drones))
        self._numbers = {d.id: d.system_id if i < MOST_SYSTEMS else i + 1 for i, d in enumerate(drones)}
        for index, (drone, pad) in enumerate(zip(drones, pads(self.site, drones), strict=True)):
            port = self._options.mavlink_port + index if self._options.mavlink_port else 0
            seed = self._options.faults.seed * 1000 + self._numbers[drone.id]
            server = VehicleServer(self._vehicle(drone, pad), port, self._now_s, seed)
            await server.start()
            self.servers.append(server)
            self._drones.append(drone)
        self.docks = [self._dock(dock) for dock in self.site.docks]
        self.mishaps = Mishaps(
            self._options.faults,
            servers={drone.id: s for drone, s in self._flying()},
            docks={d.dock.id: d for d in self.docks},
            start_s=self._now_s(),
        )
        self.write_truth()
        return self.described()

    async def run(self) -> None:
        """Fly until cancelled; the truth is written once more at the end."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._fly())
                if self._options.mqtt:
                    group.create_task(DockService(self.docks, self._options.mqtt, self._now_s).run())
        finally:
            self.write_truth()
            await self.stop()

    async def stop(self) -> None:
        """Close every socket and end the renderer."""
        for server in self.servers:
            await server.stop()
        await self.media.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def described(self) -> dict[str, Any]:
        """Return where everything listens, as `--json` prints it."""
        return {
            "drones": [
                {
                    "drone": drone.id,
                    "dock": drone.dock,
                    "system_id": s.vehicle.system_id,
                    "port": s.port,
                    "connect": f"tcp:{HOST}:{s.port}",
                }
                for drone, s in self._flying()
            ],
            "media": self.media.url,
            "docks": [d.dock.id for d in self.docks],
            "reports": [call.to_json(self.world.frame) for call in self.world.calls],
            "clock": str(self._clock),
        }

    def write_truth(self) -> None:
        """Write what is really there, whole or not at all."""
        path = self._options.truth
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".new")
        fresh.write_text(json.dumps(self.world.truth(self._clock.now()), ensure_ascii=False))
        fresh.replace(path)

    async def _fly(self) -> None:
        """Step all vehicles by the clock: often enough to be smooth, rarely enough to be light."""
        pause_s = max(0.01, min(0.05, 0.2 / self._clock.speed))
        truth_s = self._now_s() + TRUTH_S
        while True:
            now_s = self._now_s()
            self.mishaps.tick(now_s)
            self._move(now_s)
            for drone, server in self._flying():
                server.tick(now_s)
                for exposure in server.vehicle.taken():
                    self._render(drone, exposure)
            if now_s >= truth_s:
                truth_s = now_s + TRUTH_S
                self.write_truth()
            await asyncio.sleep(pause_s)  # physics has no event to wait for

    def _move(self, now_s: float) -> None:
        """Move all vehicles on to `now_s`, step by step together."""
        vehicles = [s.vehicle for s in self.servers]
        while True:
            steps = [(v, step) for v in vehicles if (step := v.next_step(now_s)) is not None]
            if not steps:
                return
            self._swarm.advance([step for _, step in steps])
            for vehicle, _ in steps:
                vehicle.stepped()

    def _render(self, drone: Drone, exposure: Exposure) -> None:
        cameras = self.site.model(drone.model).cameras
        folder = f"/drones/{self._folder(drone)}"
        truth = exposure.truth
        job = PictureJob(
            stem=self._pictures / self._folder(drone) / exposure.stem,
            true=TruePose(truth.place, truth.altitude_m, truth.heading_deg, truth.pitch_deg, truth.roll_deg),
            reported=exposure.reported,
            above_home_m=exposure.above_home_m,
            cameras=cameras,
            taken_at=exposure.taken_at,
            reported_at=exposure.reported_at.astimezone(ZoneInfo(self.site.timezone)),
            drone=drone.id,
            image_index=exposure.index,
        )
        names = tuple(f"{folder}/{file_name(exposure.stem, c.sensor)}" for c in cameras)
        self.media.render(names, partial(take, job))

    def _vehicle(self, drone: Drone, pad: LatLon) -> Vehicle:
        dock = self.site.dock(drone.dock)
        identity = Identity(
            drone.id,
            drone.system_id,
            self.site.model(drone.model),
            pad,
            dock.elevation_m,
            self.media.url,
            seed=self._options.seed * 1000 + self._numbers[drone.id],
            folder=self._folder(drone),
        )
        ground = ground_under(self.world.relief, self.world.frame, pad, dock.elevation_m)
        return Vehicle(
            identity,
            now_s=self._now_s(),
            wind=self.site.wind,
            ground_m=ground,
            speed=self._clock.speed,
            personality=PERSONALITIES[self._options.autopilot],
        )

    def _folder(self, drone: Drone) -> str:
        """Return the folder of a drone's pictures: its system id, or its name where ids begin again."""
        return str(drone.system_id) if self._numbers[drone.id] <= MOST_SYSTEMS else drone.id

    def _dock(self, dock: Dock) -> DockMachine:
        guests = [
            _Guest(drone.id, s.vehicle, dock, holds=bool(self._options.mqtt))
            for drone, s in self._flying()
            if drone.dock == dock.id or len(self.servers) <= len(self.site.drones)
        ]

        def wind_m_s() -> float:
            return math.hypot(*guests[0].vehicle.air) if guests else self.site.wind.speed_m_s

        return DockMachine(dock, guests, wind_m_s)

    def _flying(self) -> Iterator[tuple[Drone, VehicleServer]]:
        return zip(self._drones, self.servers, strict=True)

    def _now_s(self) -> float:
        return self._clock.now().timestamp()


class _Guest:
    """A vehicle as the dock below it sees it."""

    def __init__(self, drone_id: str, vehicle: Vehicle, dock: Dock, *, holds: bool) -> None:
        self.id = drone_id
        self.vehicle = vehicle
        self._at = vehicle.estimate.tangent.to_local(dock.place.lat_deg, dock.place.lon_deg)
        self._up_m = dock.elevation_m - vehicle.identity.pad_amsl_m
        self._holds = holds

    @property
    def inside(self) -> bool:
        return not self.vehicle.drone.airborne and self._above() < _ON_PAD_M

    @property
    def in_doorway(self) -> bool:
        return self.vehicle.drone.airborne and self._above() < _DOORWAY_M

    @property
    def charge_share(self) -> float:
        return self.vehicle.drone.battery.share

    def charge(self, dt_s: float, full_s: float) -> None:
        self.vehicle.drone.charge(self.vehicle.drone.battery.capacity_wh * dt_s / full_s)

    def shut_in(self, shut: bool) -> None:
        if self.inside:
            self.vehicle.drone.held_down = shut and self._holds

    def _above(self) -> float:
        at = self.vehicle.drone.at
        return math.dist(at, (*self._at, self._up_m))


def _allow_sockets(drones: int) -> None:
    """Let this process open as many sockets as so many drones and who talks to them need.

    Raises:
        InputWrong: the system does not allow so many.
    """
    wanted = _OTHER_FILES + _SOCKETS_A_DRONE * drones
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise InputWrong(
            f"--drones: {drones} drones need {wanted} open files, this system allows {hard}: "
            "ask for fewer, or raise the limit (ulimit -Hn)"
        )
    if soft != resource.RLIM_INFINITY and wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def crew(site: Site, wanted: int | None) -> tuple[Drone, ...]:
    """Return so many drones: the site's first, then more of the like, dock after dock.

    Without a number they are the site's own. System ids are unique up to 250, as on
    one MAVLink network; beyond, each vehicle has its own port anyway and ids begin again.
    """
    if wanted is None or wanted <= len(site.drones):
        return site.drones[:wanted]
    taken = {d.system_id for d in site.drones}
    free = [n for n in range(1, MOST_SYSTEMS + 1) if n not in taken]
    more = []
    for index in range(wanted - len(site.drones)):
        like = site.drones[index % len(site.drones)]
        system_id = free[index] if index < len(free) else 1 + index % MOST_SYSTEMS
        name = f"X{index + 1}"
        more.append(Drone(name, like.model, like.dock, system_id))
    return (*site.drones, *more)


def pads(site: Site, drones: tuple[Drone, ...]) -> list[LatLon]:
    """Return each drone's pad: the dock's own side by side, west to east, all others in rows behind."""
    own = {d.id for d in site.drones}
    rows: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    guests: Counter[str] = Counter()
    for drone in drones:
        row = 0 if drone.id in own else 1 + guests[drone.dock] // PADS_A_ROW
        guests[drone.dock] += drone.id not in own
        rows[drone.dock, row].append(drone.id)
    places = {}
    for (dock, row), names in rows.items():
        place = site.dock(dock).place
        metres_a_degree = 111_320.0 * math.cos(math.radians(place.lat_deg))
        for column, name in enumerate(names):
            east_m = (column - (len(names) - 1) / 2) * PAD_SPACING_M
            north_deg = row * PAD_SPACING_M / 111_320.0
            places[name] = LatLon(place.lat_deg + north_deg, place.lon_deg + east_m / metres_a_degree)
    return [places[drone.id] for drone in drones]
