"""The valley as a stage: a world for each hour, a drone placed over a spot, pictures written with a pose."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import numpy as np

from missions.geo import moved
from missions.model import Camera, Sensor, Site
from missions.site import load_site
from missions.terrain import Terrain
from sim.camera import Cameras, PictureJob, TruePose, file_name
from sim.flyover import reported
from sim.noise import PoseNoise
from sim.picture_files import Caption, write_colour, write_thermal
from sim.projection import View
from sim.sights.overlay import Bgr, Ground
from sim.sky import Sky
from sim.textures import Pixels
from sim.world import World

DAY = (2026, 6, 1)


@dataclass(frozen=True, slots=True)
class Shot:
    """One look: over which spot, from how high and which side, when (hours of the day), by which drone.

    `after_s` is how long after the hour; the looks of one flight that share a `noise` share its drift.
    """

    east_m: float
    north_m: float
    above_m: float
    heading_deg: float
    pitch_deg: float
    hour: float
    seed: int
    day: int = 0
    after_s: float = 0.0
    noise: PoseNoise | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What one camera sees from a shot, before anything is laid over."""

    job: PictureJob
    camera: Camera
    ground: Ground
    view: View


class Stage:
    """The valley and its cameras."""

    def __init__(self, site_file: Path | None = None) -> None:
        path = site_file or Path(__file__).parents[2] / "examples" / "valley" / "site.yaml"
        self.site: Site = load_site(path)
        self._terrain = Terrain.open(self.site.terrain)
        self._world = lru_cache(maxsize=1)(self._built)

    def world(self, hour: float = 10.0) -> World:
        """Return the calm world, its light that of an hour."""
        return self._world(round(hour))[0]

    def air_c(self, hour: float) -> float:
        """Return how warm the air is at an hour."""
        world = self.world(hour)
        return Sky.over(world.site.origin, world.epoch_at).air_c

    def looks(self, shot: Shot) -> dict[Sensor, Look]:
        """Return what each camera looks at."""
        world, _ = self._world(round(shot.hour))
        at = world.epoch_at + timedelta(days=shot.day, seconds=shot.after_s)
        back = moved(world.frame.to_place(shot.east_m, shot.north_m), shot.heading_deg + 180.0, _back_m(shot))
        east, north = world.frame.to_local(back)
        true = TruePose(back, world.relief.at(east, north) + shot.above_m, shot.heading_deg, shot.pitch_deg)
        noise = shot.noise or PoseNoise(shot.seed)
        told = reported(true, noise.sample())
        looks = {}
        for camera in self.site.models[0].cameras:
            job = PictureJob(
                stem=Path("look"),
                true=true,
                reported=told,
                above_home_m=shot.above_m,
                cameras=(camera,),
                taken_at=world.epoch_at,
                reported_at=at + timedelta(seconds=noise.clock_s()),
                drone=self.site.drones[0].id,
                image_index=shot.seed,
            )
            view = View.of(true, camera, world.frame)
            looks[camera.sensor] = Look(job, camera, Ground.under(view, world.relief), view)
        return looks

    def celsius(self, look: Look, hour: float) -> Pixels:
        """Return the thermal picture of the calm valley."""
        return self._world(round(hour))[1].thermal(look.job, look.camera)

    def colour(self, look: Look, hour: float) -> Bgr:
        """Return the colour picture of the calm valley."""
        return self._world(round(hour))[1].colour(look.job, look.camera)

    def grain(self, look: Look, hour: float) -> Pixels:
        """Return how grainy the painted ground is at each pixel of a picture already rendered: 8 is water."""
        ground = self._world(round(hour))[1].ground
        east, north = look.ground.metres()
        middle = look.ground.middle_m
        x, y = ground.to_pixels(east.astype(float) + middle[0], north.astype(float) + middle[1])
        top, left = max(int(y.min()) - 1, 0), max(int(x.min()) - 1, 0)
        painted = np.ascontiguousarray(ground.colour[top : int(y.max()) + 3, left : int(x.max()) + 3, 3])
        x, y = (x - left).astype(np.float32), (y - top).astype(np.float32)
        return np.asarray(cv2.remap(painted, x, y, cv2.INTER_LINEAR), np.float32)

    def _built(self, hour: int) -> tuple[World, Cameras]:
        at = datetime(*DAY, hour, tzinfo=ZoneInfo(self.site.timezone))
        world = World.build(self.site, self._terrain, seed=1, scenario="calm", epoch_at=at)
        return world, Cameras(world)


def write(folder: Path, name: str, look: Look, picture: Pixels | Bgr) -> str:
    """Write one picture and return its file's name."""
    folder.mkdir(parents=True, exist_ok=True)
    file = file_name(name, look.camera.sensor)
    job = replace(look.job, stem=folder / name)
    caption = Caption(
        look.camera, job.reported, job.above_home_m, job.reported_at, job.drone, job.image_index
    )
    writer: Callable[..., None] = write_thermal if look.camera.sensor is Sensor.THERMAL else write_colour
    writer(folder / file, picture, caption)
    return file


def _back_m(shot: Shot) -> float:
    """Return how far behind its spot a drone stands to have it in the picture's middle."""
    return float(shot.above_m / np.tan(np.radians(-shot.pitch_deg))) if shot.pitch_deg > -89.5 else 0.0
