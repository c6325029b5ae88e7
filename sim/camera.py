"""Takes pictures of the world: a job goes in, files come out, as from a drone's card.

Rendering is a matter for one process of its own:

    pool = ProcessPoolExecutor(1, initializer=use_world, initargs=(world,))
    paths = await loop.run_in_executor(pool, take, job)

The job carries the true pose, which decides what is seen, and the reported pose,
which is what the files say. The same world and job give the same pixels.
"""

import zlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np

from missions.model import Camera, CameraPose, Sensor
from sim.ground import Ground
from sim.photo import Bgr, ColourCamera
from sim.picture_files import Caption, write_colour, write_thermal
from sim.projection import TruePose, View
from sim.structures import Structures
from sim.textures import Pixels
from sim.thermal import ThermalCamera
from sim.world import World

__all__ = ["Cameras", "PictureJob", "TruePose", "file_name", "take", "use_world"]


@dataclass(frozen=True, slots=True)
class PictureJob:
    """One press of the shutter on all cameras of a drone; it pickles.

    `stem` is the path without sensor and ending: `…/GP_0001` becomes
    `GP_0001_T.TIF` and `GP_0001_W.JPG`. `taken_at` is when the picture really was
    taken, `reported_at` what the drone's clock said, in the site's time zone.
    """

    stem: Path
    true: TruePose
    reported: CameraPose
    above_home_m: float
    cameras: tuple[Camera, ...]
    taken_at: datetime
    reported_at: datetime
    drone: str
    image_index: int


class Cameras:
    """All cameras over one world; holds the painted ground, about 200 MB for a valley."""

    def __init__(self, world: World) -> None:
        cv2.setNumThreads(1)
        self._world = world
        self.ground = Ground(world)
        ground, structures = self.ground, Structures(world)
        self._thermal = ThermalCamera(world, ground, structures)
        self._colour = ColourCamera(world, ground, structures)

    def thermal(self, job: PictureJob, camera: Camera) -> Pixels:
        """Return a thermal picture in °C."""
        view = View.of(job.true, camera, self._world.frame)
        return self._thermal.render(view, job.taken_at, drone=job.drone, rng=self._random(job))

    def colour(self, job: PictureJob, camera: Camera) -> Bgr:
        """Return a colour picture: blue, green, red."""
        view = View.of(job.true, camera, self._world.frame)
        return self._colour.render(view, job.taken_at, rng=self._random(job))

    def take(self, job: PictureJob) -> list[Path]:
        """Write one file for each camera of the job and return their paths."""
        job.stem.parent.mkdir(parents=True, exist_ok=True)
        paths = []
        for camera in job.cameras:
            path = job.stem.with_name(file_name(job.stem.name, camera.sensor))
            caption = Caption(
                camera, job.reported, job.above_home_m, job.reported_at, job.drone, job.image_index
            )
            if camera.sensor is Sensor.THERMAL:
                write_thermal(path, self.thermal(job, camera), caption)
            else:
                write_colour(path, self.colour(job, camera), caption)
            paths.append(path)
        return paths

    def _random(self, job: PictureJob) -> np.random.Generator:
        return np.random.default_rng([self._world.seed, zlib.crc32(job.drone.encode()), job.image_index])


_cameras: Cameras | None = None


def use_world(world: World) -> None:
    """Make this process render that world: the initializer of a process pool."""
    global _cameras
    _cameras = Cameras(world)


def take(job: PictureJob) -> list[Path]:
    """Write the pictures of a job, in a process that was given its world."""
    if _cameras is None:
        raise RuntimeError("this process has no world: call use_world(world) first")
    return _cameras.take(job)


def file_name(stem: str, sensor: Sensor) -> str:
    """Return the file's name: GP_0001_T.TIF for thermal, GP_0001_W.JPG for colour."""
    return f"{stem}_T.TIF" if sensor is Sensor.THERMAL else f"{stem}_W.JPG"
