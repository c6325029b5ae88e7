"""Pairs of pictures of one place at two dates, with the truth: what vision is scored on.

`gridpatrol sim --gallery flood --seeds 1-100 --out DIR` writes for every seed S

    flood     S/before_W.JPG  S/flood_W.JPG      a reach of the river, later out of its bed
              S/bank_before_W.JPG  S/bank_W.JPG  another reach, later as it was
    logging   S/before_W.JPG  S/after_W.JPG      forest, by odd seeds felled in between, by even ones not

and `truth.json`: for each picture where the camera really was, and how many square metres of each change
lie in view. Poses in the files carry the noise of a consumer drone; the later picture is taken at another
hour, and for logging in another season and year, with clouds.
"""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import Point, box, mapping
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from missions.errors import InputWrong
from missions.model import Camera, CameraPose, Sensor, Site
from sim.camera import Cameras, PictureJob, TruePose
from sim.changes import Changes, Conditions, Felling, Flood, fellings, flood
from sim.noise import PoseNoise
from sim.projection import View
from sim.relief import Heights
from sim.world import World

KINDS = ("flood", "logging")
NOON_AT = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)  # in the valley
HEIGHT_M = (90.0, 120.0)
TILT_DEG = 12.0
_CELL_M = 0.5


@dataclass(frozen=True, slots=True)
class Shutter:
    """One picture to take: of which world, from where, and what it is called."""

    name: str
    true: TruePose
    taken_at: datetime


def write(
    kind: str, site: Site, terrain: Heights, seeds: Iterable[int], folder: Path
) -> Iterator[tuple[int, int]]:
    """Write the pictures of every seed and yield (seed, pictures) as they are done; truth.json at the end.

    Raises:
        InputWrong: there is no such gallery, or the site has no river or no forest.
    """
    if kind not in KINDS:
        raise InputWrong(f"--gallery: found {kind!r}, expected {' or '.join(KINDS)}")
    calm = World.build(site, terrain, seed=0, scenario="calm", epoch_at=NOON_AT)
    studio = _Studio(calm, folder)
    rows: list[dict[str, Any]] = []
    for seed in seeds:
        taken = studio.floods(seed) if kind == "flood" else studio.fellings(seed)
        rows += taken
        yield seed, len(taken)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "truth.json").write_text(json.dumps({"kind": kind, "pictures": rows}, indent=1), "utf-8")


class _Studio:
    """Takes the pictures; the unchanged world is painted once for all seeds."""

    def __init__(self, calm: World, folder: Path) -> None:
        self._calm, self._folder = calm, folder
        self._cameras = Cameras(calm)
        self._camera = next(c for m in calm.site.models for c in m.cameras if c.sensor is Sensor.RGB)
        west, south = calm.relief.west_m + 250.0, calm.relief.south_m + 250.0
        east, north = calm.relief.east_end_m - 250.0, calm.relief.north_end_m - 250.0
        self._inside = box(west, south, east, north)

    def floods(self, seed: int) -> list[dict[str, Any]]:
        """Return the rows of a seed's four pictures of the river."""
        rng = np.random.default_rng([seed, 1])
        landscape = self._calm.landscape
        risen = flood("W1", landscape, self._calm.relief, rng, within=self._inside)
        if risen is None:
            raise InputWrong(f"site {self._calm.site.id}: no river that could leave its bed")
        wet = replace(self._calm, changes=Changes(floods=(risen,)))
        line, _ = landscape.rivers[0]
        at = line.interpolate(line.project(risen.middle))
        aim = Point((risen.middle.x + at.x) / 2, (risen.middle.y + at.y) / 2)
        quiet = line.interpolate(rng.uniform(0.15, 0.85) * line.length)
        rows = []
        for stem, middle, world in (("", aim, wet), ("bank_", quiet, self._calm)):
            hours = rng.uniform(-2.0, 2.0, 2)
            names = (f"{stem}before", "flood" if not stem else "bank")
            for i, (name, there) in enumerate(zip(names, (self._calm, world), strict=True)):
                shot = self._shutter(name, middle, rng, hours=float(hours[i]))
                rows.append(self._taken(seed, shot, there, Cameras(there) if there is wet else self._cameras))
        return rows

    def fellings(self, seed: int) -> list[dict[str, Any]]:
        """Return the rows of a seed's two pictures of the forest; odd seeds have fellings in view."""
        rng = np.random.default_rng([seed, 2])
        landscape = self._calm.landscape
        wood = unary_union(landscape.compartments).buffer(-40.0).intersection(self._inside)
        middle = _somewhere(wood, rng)
        near = middle.buffer(34.0)
        many = int(rng.integers(1, 4)) if seed % 2 else 0
        felled = fellings(many, landscape, rng, within=near, apart_m=8.0) if many else ()
        said = Conditions(
            season=float(rng.uniform(0, 1) if rng.random() < 0.6 else 0.0),
            year=int(rng.integers(0, 3)),
            clouds=float(rng.uniform(0, 0.4) if rng.random() < 0.5 else 0.0),
            cloud_seed=seed,
        )
        later = replace(self._calm, changes=Changes(fellings=felled, conditions=said))
        hours = rng.uniform(-3.0, 3.0, 2)
        before = self._shutter("before", middle, rng, hours=float(hours[0]))
        after = self._shutter("after", middle, rng, hours=float(hours[1]))
        return [
            self._taken(seed, before, self._calm, self._cameras),
            self._taken(seed, after, later, Cameras(later), earlier=before),
        ]

    def _shutter(self, name: str, aim: Point, rng: np.random.Generator, *, hours: float) -> Shutter:
        """Return a picture of a place from above, nearly straight down, at an hour around noon."""
        heading = float(rng.uniform(0, 360))
        tilt = float(rng.uniform(0, TILT_DEG))
        height = float(rng.uniform(*HEIGHT_M))
        back = height * math.tan(math.radians(tilt))
        x = aim.x - back * math.sin(math.radians(heading)) + rng.normal(0, 4.0)
        y = aim.y - back * math.cos(math.radians(heading)) + rng.normal(0, 4.0)
        place = self._calm.frame.to_place(float(x), float(y))
        true = TruePose(place, self._calm.relief.at(aim.x, aim.y) + height, heading, -90.0 + tilt)
        return Shutter(name, true, NOON_AT + timedelta(hours=hours))

    def _taken(
        self, seed: int, shot: Shutter, world: World, cameras: Cameras, *, earlier: Shutter | None = None
    ) -> dict[str, Any]:
        """Take one picture; return its row. With `earlier`, in view means in both pictures' view."""
        poses = [shot.true] if earlier is None else [shot.true, earlier.true]
        error = PoseNoise(seed * 10 + len(shot.name)).sample()
        frame = world.frame
        east, north = frame.to_local(shot.true.place)
        reported = CameraPose(
            frame.to_place(east + error.east_m, north + error.north_m),
            shot.true.altitude_m + error.up_m,
            (shot.true.heading_deg + error.yaw_deg) % 360.0,
            shot.true.pitch_deg + error.pitch_deg,
            shot.true.roll_deg + error.roll_deg,
        )
        above = reported.altitude_m - world.relief.at(east, north)
        job = PictureJob(
            self._folder / str(seed) / shot.name,
            shot.true,
            reported,
            above,
            (self._camera,),
            shot.taken_at,
            shot.taken_at,
            drone=f"G{seed}",
            image_index=len(shot.name),
        )
        (path,) = cameras.take(job)
        return {
            "seed": seed,
            "file": str(path.relative_to(self._folder)),
            "true": _pose(shot.true),
            "changes": [
                _row(change, view_m2(change.shape, poses, self._camera, world), world)
                | self._track(change, poses, world)
                for change in _all(world.changes)
            ],
        }

    def _track(self, change: Flood | Felling, poses: list[TruePose], world: World) -> dict[str, Any]:
        """Return where a felling's track runs beyond its patch, and how many metres of it are in view."""
        if not isinstance(change, Felling) or change.way.is_empty:
            return {}
        strip = change.way.buffer(0.5, cap_style="flat")
        seen_m = view_m2(strip, poses, self._camera, world)
        return {"track": mapping(world.frame.in_degrees(change.way)), "track_in_view_m": round(seen_m, 1)}


def view_m2(shape: BaseGeometry, poses: Iterable[TruePose], camera: Camera, world: World) -> float:
    """Return how much of a shape on the ground lies in all of a camera's pictures, in square metres."""
    west, south, east, north = shape.bounds
    x, y = np.meshgrid(np.arange(west, east, _CELL_M), np.arange(south, north, _CELL_M))
    inside = shapely.contains_xy(shape, x, y)
    if not inside.any():
        return 0.0
    points = np.column_stack([x[inside], y[inside], world.relief.height_m(x[inside], y[inside])])
    shown = np.ones(len(points), bool)
    for pose in poses:
        pixels, depth = View.of(pose, camera, world.frame).pixels(points)
        shown &= (depth > 0) & (pixels > 0).all(axis=1)
        shown &= (pixels < (camera.width_px, camera.height_px)).all(axis=1)
    return float(shown.sum()) * _CELL_M**2


def _all(changes: Changes) -> list[Flood | Felling]:
    return [*changes.floods, *changes.fellings]


def _row(change: Flood | Felling, seen_m2: float, world: World) -> dict[str, Any]:
    return {
        "hazard": "flood" if isinstance(change, Flood) else "logging",
        "id": change.id,
        "area_m2": round(change.area_m2, 1),
        "in_view_m2": round(seen_m2, 1),
        "geometry": mapping(world.frame.in_degrees(change.shape)),
    }


def _pose(true: TruePose) -> dict[str, float]:
    return {
        "lat_deg": true.place.lat_deg,
        "lon_deg": true.place.lon_deg,
        "altitude_m": true.altitude_m,
        "heading_deg": true.heading_deg,
        "pitch_deg": true.pitch_deg,
        "roll_deg": true.roll_deg,
    }


def _somewhere(zone: BaseGeometry, rng: np.random.Generator) -> Point:
    """Return a place inside a zone."""
    west, south, east, north = zone.bounds
    while True:
        point = Point(rng.uniform(west, east), rng.uniform(south, north))
        if zone.contains(point):
            return point
