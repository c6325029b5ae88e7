"""A plan photographed without flying it: for benches and for tuning detectors.

Each planned shot becomes a picture job with the errors that a flight would have:
the drone passes the waypoint within half a metre, faces along the leg that brought
it there, and reports its pose with the noise of `noise.py`. No autopilot and no
MAVLink are involved, so a whole valley takes as long as its pictures take to render:

    cameras = Cameras(world)
    for job in flyover(plan, world, folder=out, seed=3):
        cameras.take(job)
"""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from missions.geo import LatLon, bearing_deg, distance_m, moved
from missions.model import CameraPose, Dock, Drone, DroneModel, Plan, Sortie, Waypoint
from sim.camera import PictureJob, TruePose
from sim.noise import PoseError, PoseNoise
from sim.world import World

PASSED_WITHIN_M = 0.5


def flyover(plan: Plan, world: World, *, folder: Path, seed: int) -> Iterator[PictureJob]:
    """Yield a job for every planned shot, sortie after sortie, in `folder`/SORTIE/GP_0001…

    Sorties start one after the other at the world's epoch; each is given one of its
    dock's drones in turn.
    """
    drones = {d.id: cycle([r for r in world.site.drones if r.dock == d.id]) for d in world.site.docks}
    began_at = world.epoch_at
    for number, sortie in enumerate(plan.sorties):
        drone = next(drones[sortie.dock])
        flight = _Flight(sortie, drone, world, began_at, seed * 1000 + number)
        yield from flight.jobs(folder / sortie.id)
        began_at += timedelta(seconds=sortie.flight_s)


class _Flight:
    """One sortie flown on rails; holds where the drone is and how wrong its fixes are."""

    def __init__(self, sortie: Sortie, drone: Drone, world: World, began_at: datetime, seed: int) -> None:
        self._sortie, self._drone = sortie, drone
        self._dock: Dock = world.site.dock(sortie.dock)
        self._model: DroneModel = world.site.model(drone.model)
        self._zone = ZoneInfo(world.site.timezone)
        self._began_at = began_at
        self._noise, self._random = PoseNoise(seed), Random(seed)

    def jobs(self, folder: Path) -> Iterator[PictureJob]:
        """Yield the jobs of the sortie's shots in flying order."""
        place, above_dock_m, flown_s, taken = self._dock.place, 0.0, 0.0, 0
        heading_deg = 0.0
        for waypoint in self._sortie.waypoints:
            leg_s = self._leg_s(place, above_dock_m, waypoint)
            if distance_m(place, waypoint.place) > 1.0:
                heading_deg = bearing_deg(place, waypoint.place)
            self._noise.advance(leg_s)
            flown_s += leg_s
            place, above_dock_m = waypoint.place, waypoint.above_dock_m
            if waypoint.shoots:
                stem = folder / f"GP_{taken + 1:04d}"
                yield self._job(waypoint, heading_deg, stem=stem, index=taken, flown_s=flown_s)
                taken += 1

    def _leg_s(self, place: LatLon, above_dock_m: float, to: Waypoint) -> float:
        rise_m = to.above_dock_m - above_dock_m
        upright_s = abs(rise_m) / (self._model.climb_m_s if rise_m > 0 else self._model.descent_m_s)
        return max(distance_m(place, to.place) / max(to.speed_m_s, 0.1), upright_s)

    def _job(
        self, waypoint: Waypoint, heading_deg: float, *, stem: Path, index: int, flown_s: float
    ) -> PictureJob:
        off_m = self._random.uniform(0.0, PASSED_WITHIN_M)
        place = moved(waypoint.place, self._random.uniform(0.0, 360.0), off_m)
        true = TruePose(place, waypoint.altitude.metres, heading_deg, waypoint.pitch_deg)
        told = reported(true, self._noise.sample())
        taken_at = self._began_at + timedelta(seconds=flown_s)
        return PictureJob(
            stem=stem,
            true=true,
            reported=told,
            above_home_m=told.altitude_m - self._dock.elevation_m,
            cameras=self._model.cameras,
            taken_at=taken_at,
            reported_at=(taken_at + timedelta(seconds=self._noise.clock_s())).astimezone(self._zone),
            drone=self._drone.id,
            image_index=index,
        )


def reported(true: TruePose, error: PoseError) -> CameraPose:
    """Return what a drone believes of a pose, given how wrong its fixes are."""
    away_m = math.hypot(error.east_m, error.north_m)
    bearing = math.degrees(math.atan2(error.east_m, error.north_m))
    return CameraPose(
        moved(true.place, bearing, away_m),
        true.altitude_m + error.up_m,
        (true.heading_deg + error.yaw_deg) % 360.0,
        true.pitch_deg + error.pitch_deg,
        true.roll_deg + error.roll_deg,
    )
