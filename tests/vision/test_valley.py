"""The chain against the simulator: what burns is found where it burns, what is only warm is not.

The simulator shares no code with `vision`; its camera has its own projection, and
the poses written into the files carry its GPS and gimbal noise.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from missions.geo import LatLon, distance_m
from missions.model import CameraPose, Hazard, Sensor
from missions.site import load_site
from missions.terrain import Terrain
from sim.camera import Cameras, PictureJob, TruePose
from sim.noise import PoseNoise
from sim.world import World
from vision.inspection import examine, joined

VALLEY = Path(__file__).parents[2] / "examples" / "valley" / "site.yaml"
EPOCH_AT = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
HEIGHT_M, ALONG_M, APART_M = 120.0, 52.0, 70.0
SMALLEST_LOOKED_AT = 4  # fires, and as many decoys: a few seconds


@dataclass(frozen=True)
class Thing:
    """Something warm in the world: a fire when `kind` is None."""

    east_m: float
    north_m: float
    kind: str | None


@pytest.fixture(scope="module")
def valley():
    site = load_site(VALLEY)
    terrain = Terrain.open(site.terrain)
    return site, terrain, World.build(site, terrain, seed=1, epoch_at=EPOCH_AT)


def looks(thing: Thing, rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """Return where a survey takes the pictures that show a thing: (east, north, heading), two lanes."""
    heading, lane, phase = rng.uniform(0, 360), rng.uniform(-35, 35), rng.uniform(0, ALONG_M)
    h = math.radians(heading)
    lanes = (lane, lane - math.copysign(APART_M, lane))
    return [
        (
            thing.east_m + along * math.sin(h) + across * math.cos(h),
            thing.north_m + along * math.cos(h) - across * math.sin(h),
            heading,
        )
        for across in lanes
        for along in (phase - ALONG_M, phase)
    ]


def test_fires_are_found_in_place_once_each_and_decoys_are_not_alarmed(valley, tmp_path):
    """The smallest fires and the hottest decoys of one seed, from 120 m, as a survey passes them."""
    site, terrain, world = valley
    camera = site.models[0].camera(Sensor.THERMAL)
    fires = sorted(world.fires, key=lambda f: f.area_at_epoch_m2)[:SMALLEST_LOOKED_AT]
    decoys = sorted(world.decoys, key=lambda d: -d.temp_c)[:SMALLEST_LOOKED_AT]
    things = [Thing(f.east_m, f.north_m, None) for f in fires]
    things += [Thing(d.east_m, d.north_m, d.kind.value) for d in decoys]
    cameras, noise, rng = Cameras(world), PoseNoise(1), np.random.default_rng(1)
    now, results = EPOCH_AT + timedelta(minutes=5), []
    for thing in things:
        noise.advance(70.0)
        for east, north, heading in looks(thing, rng):
            now += timedelta(seconds=4.3)
            noise.advance(4.3)
            place = world.frame.to_place(east, north)
            altitude, error = terrain.elevation_at(place) + HEIGHT_M, noise.sample()
            believed = CameraPose(
                world.frame.to_place(east + error.east_m, north + error.north_m),
                altitude + error.up_m,
                (heading + error.yaw_deg) % 360,
                -90.0 + error.pitch_deg,
                error.roll_deg,
            )
            true = TruePose(place, altitude, heading, -90.0)
            stem = tmp_path / f"GP_{len(results):04d}"
            job = PictureJob(stem, true, believed, HEIGHT_M, (camera,), now, now, "D1", len(results))
            (path,) = cameras.take(job)
            results.append(examine(path, terrain=terrain))
    incidents = joined(o for r in results for o in r.observations)
    everything = [world.frame.to_place(f.east_m, f.north_m) for f in world.fires]
    assert all(nearest_m(i.place, everything) <= 15 for i in incidents), "an alarm where nothing burns"
    for fire in fires:
        place = world.frame.to_place(fire.east_m, fire.north_m)
        assert sum(distance_m(i.place, place) <= 15 for i in incidents) == 1
    assert {i.hazard for i in incidents} == {Hazard.FIRE}


def nearest_m(place: LatLon, places: list[LatLon]) -> float:
    return min(distance_m(place, other) for other in places)
