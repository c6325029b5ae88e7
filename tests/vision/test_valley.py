"""The chain against the simulator: what burns is found where it burns, what is only warm is not.

The simulator shares no code with `vision`; its camera has its own projection, and
the poses written into the files carry its GPS and gimbal noise. By default one
seed is looked at in part, in seconds. All of many seeds, with the totals held to
the numbers we promise (nine seconds a seed):

    GRIDPATROL_VALLEY_SEEDS=20 pytest tests/vision/test_valley.py -s
"""

import math
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from missions.geo import LatLon, distance_m
from missions.model import Camera, CameraPose, Hazard, Sensor, Site
from missions.site import load_site
from missions.terrain import Terrain
from sim.camera import Cameras, PictureJob, TruePose
from sim.hazards import Decoy, Fire
from sim.noise import PoseNoise
from sim.world import World
from vision.inspection import examine, joined

VALLEY = Path(__file__).parents[2] / "examples" / "valley" / "site.yaml"
EPOCH_AT = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
HEIGHT_M, ALONG_M, APART_M = 120.0, 52.0, 70.0  # what a survey with 35 % and 30 % overlap flies
NEAR_M = 30.0
SEEDS = int(os.environ.get("GRIDPATROL_VALLEY_SEEDS", "0"))


@dataclass(frozen=True, slots=True)
class Score:
    """How one world was seen: distances of fires found, and what went wrong."""

    errors_m: tuple[float, ...]
    missed: int
    twice: int
    false: int


class Survey:
    """A drone that passes the things of one world in two lanes each and has its pictures examined."""

    def __init__(self, site: Site, terrain: Terrain, seed: int, folder: Path) -> None:
        self.world = World.build(site, terrain, seed=seed, epoch_at=EPOCH_AT)
        self._terrain, self._folder = terrain, folder
        self._cameras, self._noise = Cameras(self.world), PoseNoise(seed)
        self._rng = np.random.default_rng(seed)
        self._camera = self._thermal(site)
        self._now, self._count = EPOCH_AT + timedelta(minutes=5), 0

    def score(self, fires: list[Fire], decoys: list[Decoy]) -> Score:
        """Return how well the chain tells these fires from these decoys."""
        seen = [o for thing in [*fires, *decoys] for o in self._pass(thing.east_m, thing.north_m)]
        incidents = joined(seen)
        assert {i.hazard for i in incidents} <= {Hazard.FIRE}
        burning = [self._place(f) for f in self.world.fires]
        false = sum(min(distance_m(i.place, p) for p in burning) > NEAR_M for i in incidents)
        found = [sorted(distance_m(i.place, self._place(f)) for i in incidents) for f in fires]
        near = [[d for d in distances if d <= NEAR_M] for distances in found]
        return Score(
            errors_m=tuple(d[0] for d in near if d),
            missed=sum(not d for d in near),
            twice=sum(len(d) > 1 for d in near),
            false=false,
        )

    def _pass(self, east_m: float, north_m: float):
        """Yield what the pictures of one flight past a thing show."""
        heading, lane = self._rng.uniform(0, 360), self._rng.uniform(-35, 35)
        phase, h = self._rng.uniform(0, ALONG_M), math.radians(heading)
        for across in (lane, lane - math.copysign(APART_M, lane)):
            self._noise.advance(70.0)
            for along in (phase - ALONG_M, phase):
                east = east_m + along * math.sin(h) + across * math.cos(h)
                north = north_m + along * math.cos(h) - across * math.sin(h)
                yield from self._look(east, north, heading)

    def _look(self, east: float, north: float, heading: float):
        """Take one picture, with the errors of a consumer drone in what it says of its pose."""
        self._now += timedelta(seconds=4.3)
        self._count += 1
        self._noise.advance(4.3)
        frame, error = self.world.frame, self._noise.sample()
        place = frame.to_place(east, north)
        altitude = self._terrain.elevation_at(place) + HEIGHT_M
        believed = CameraPose(
            frame.to_place(east + error.east_m, north + error.north_m),
            altitude + error.up_m,
            (heading + error.yaw_deg) % 360,
            -90.0 + error.pitch_deg,
            error.roll_deg,
        )
        job = PictureJob(
            self._folder / f"GP_{self._count:04d}",
            TruePose(place, altitude, heading, -90.0),
            believed,
            HEIGHT_M,
            (self._camera,),
            self._now,
            self._now,
            "D1",
            self._count,
        )
        (path,) = self._cameras.take(job)
        yield from examine(path, terrain=self._terrain).observations
        path.unlink()

    def _place(self, fire: Fire) -> LatLon:
        return self.world.frame.to_place(fire.east_m, fire.north_m)

    @staticmethod
    def _thermal(site: Site) -> Camera:
        camera = site.models[0].camera(Sensor.THERMAL)
        assert camera is not None
        return camera


@pytest.fixture(scope="module")
def valley():
    site = load_site(VALLEY)
    return site, Terrain.open(site.terrain)


def test_fires_are_found_in_place_once_each_and_decoys_are_not_alarmed(valley, tmp_path):
    """Recall 0.95, place error P95 15 m, every fire one incident, no decoy alarmed.

    Without `GRIDPATROL_VALLEY_SEEDS` the four smallest fires and the four hottest
    decoys of seed 1 are looked at; with it everything in that many worlds.
    """
    scores = []
    for seed in range(1, max(SEEDS, 1) + 1):
        survey = Survey(*valley, seed, tmp_path)
        most = None if SEEDS else 4
        fires = sorted(survey.world.fires, key=lambda f: f.area_at_epoch_m2)[:most]
        decoys = sorted(survey.world.decoys, key=lambda d: -d.temp_c)[:most]
        scores.append(survey.score(fires, decoys))
        print(f"seed {seed}: {scores[-1]}")
    errors, missed = [e for s in scores for e in s.errors_m], sum(s.missed for s in scores)
    recall, p95 = len(errors) / (len(errors) + missed), float(np.percentile(errors, 95))
    print(f"recall {recall:.3f}, place error P50 {np.median(errors):.1f} m, P95 {p95:.1f} m")
    assert [(s.twice, s.false) for s in scores] == [(0, 0)] * len(scores)
    assert recall >= 0.95
    assert p95 <= 15.0


def test_no_grazing_animal_is_told_as_fire(valley, tmp_path):
    """Passed by day, in two lanes each; what is told there is a fire of the truth nearby."""
    survey = Survey(*valley, 7, tmp_path)
    herds = {animal.id.partition("-")[0]: animal for animal in survey.world.animals}
    assert len(herds) == 2
    seen = [o for animal in herds.values() for o in survey._pass(*animal.middle_m)]
    burning = [survey._place(f) for f in survey.world.fires]
    assert all(min(distance_m(o.place, p) for p in burning) <= NEAR_M for o in seen)
