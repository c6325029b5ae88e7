"""Thermal pictures with labels: a drone passes over every fire and decoy of some worlds, by day and night.

    python -m sim.passes OUT [--worlds 2] [--seed 1] [--frames 7] [--clipped] [--flashes]

writes OUT/celsius/PASS/GP_0001_T.TIF (float °C with pose), OUT/grey8/PASS/GP_0001_T.JPG (the same picture as
a camera without radiometry shows it: 8 bits, stretched as `STRETCHES` say; with --clipped OUT/clipped8 too,
where every picture's hottest thousandth is cut off and no fire can be told), and OUT/labels.csv with a row
for each: file, fire (1 a fire of 0.3 m² or more shows, 0 none, -1 cut by the edge), pass, of, what, light,
and where the fire is in the picture; OUT/fires.json tells where the fires are on the ground. With --flashes
some frames show what only they show (`flashes.py`). The passes serve scores (`gridpatrol evaluate OUT --task
thermal`) and the confirmation over frames (`gridpatrol bench vision --only confirm`); the pictures are made,
not real, and so is every score on them.
"""

import argparse
import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import numpy.typing as npt

from missions.geo import moved
from missions.model import Camera, Sensor
from missions.site import load_site
from missions.terrain import Terrain
from sim.camera import Cameras, PictureJob, TruePose
from sim.flashes import bad_cells, flashes
from sim.flyover import reported
from sim.hazards import FIRE_SMALLEST_M2, Fire
from sim.noise import PoseNoise
from sim.picture_files import Caption, write_colour, write_thermal
from sim.projection import View
from sim.scene import fires_in_view
from sim.sky import Sky
from sim.textures import Pixels
from sim.world import World

HOURS = (1, 6, 10, 13, 16, 21)
SPEED_M_S, STEP_M, ABOVE_M = 12.0, 12.0, 120.0
EMPTY_PASSES = 6
STRETCHES = ("least to most", "-20 to 150 °C")
EDGE_PX = 12.0
_COLUMNS = ("file", "fire", "pass", "frame", "of", "what", "light", "x_px", "y_px", "radius_px", "area_m2")


@dataclass(frozen=True, slots=True)
class Target:
    """What a pass goes over: a fire, a decoy, or nothing."""

    name: str
    what: str
    east_m: float
    north_m: float


@dataclass(frozen=True, slots=True)
class Options:
    """How many frames a pass has, and what is shown and written beside the usual."""

    frames: int = 7
    clipped: bool = False
    flashes: bool = False


def write(out: Path, *, worlds: int, seed: int, options: Options) -> int:
    """Write the passes and their labels; return how many frames there are."""
    rows: list[dict[str, object]] = []
    truth: dict[str, list[dict[str, object]]] = {}
    for number in range(seed, seed + worlds):
        for hour in HOURS:
            rows += _world(out, number, hour, options, truth)
    with (out / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, _COLUMNS)
        table.writeheader()
        table.writerows(rows)
    (out / "fires.json").write_text(json.dumps(truth, indent=1), "utf-8")
    return len(rows)


def _world(
    out: Path, seed: int, hour: int, options: Options, truth: dict[str, list[dict[str, object]]]
) -> Iterator[dict[str, object]]:
    """Yield the rows of the passes that one world sees at one hour: every sixth of its targets."""
    site = load_site(Path(__file__).parents[1] / "examples" / "valley" / "site.yaml")
    at = datetime(2026, 6, 1, hour, tzinfo=ZoneInfo(site.timezone))
    world = World.build(site, Terrain.open(site.terrain), seed=seed, scenario="fire", epoch_at=at)
    world = replace(world, fires=_smaller(world, seed), animals=())  # as the passes that were measured
    truth[f"w{seed}"] = [_told(world, fire) for fire in world.fires]
    cameras = Cameras(world)
    targets = _targets(world, seed)
    for i, target in enumerate(targets):
        if i % len(HOURS) == HOURS.index(hour):
            yield from _pass(out, world, cameras, target, f"w{seed}-{target.name}", seed * 1000 + i, options)


def _told(world: World, fire: Fire) -> dict[str, object]:
    """Return where a fire is and how large at the start of its hour's passes."""
    place = world.frame.to_place(fire.east_m, fire.north_m)
    return {
        "id": fire.id,
        "lat_deg": place.lat_deg,
        "lon_deg": place.lon_deg,
        "area_m2": fire.area_at_epoch_m2,
    }


def _smaller(world: World, seed: int) -> tuple[Fire, ...]:
    """Return the world's fires, every second one as small as a fire gets."""
    rng = np.random.default_rng([seed, 3])
    small = [
        replace(f, area_at_epoch_m2=FIRE_SMALLEST_M2 * rng.uniform(1.02, 1.6), spread_m_s=0.0)
        for f in world.fires
    ]
    return tuple(
        replace(s, temp_c=max(s.temp_c, 450.0), ignited_at=world.epoch_at)
        if i % 2
        else replace(f, ignited_at=world.epoch_at)
        for i, (f, s) in enumerate(zip(world.fires, small, strict=True))
    )


def _targets(world: World, seed: int) -> list[Target]:
    rng = np.random.default_rng([seed, 5])
    found = [Target(f.id, "fire", f.east_m, f.north_m) for f in world.fires]
    found += [Target(d.id, d.kind.value, d.east_m, d.north_m) for d in world.decoys]
    spots = np.array([(t.east_m, t.north_m) for t in found])
    for i in range(EMPTY_PASSES):
        east, north = rng.uniform(spots.min(0), spots.max(0))
        found.append(Target(f"E{i}", "nothing", float(east), float(north)))
    return [found[i] for i in rng.permutation(len(found))]


def _pass(
    out: Path, world: World, cameras: Cameras, target: Target, name: str, seed: int, options: Options
) -> Iterator[dict[str, object]]:
    """Yield the rows of a straight pass over one target, its frames written."""
    rng, noise = np.random.default_rng(seed), PoseNoise(seed)
    fleeting = np.random.default_rng([seed, 7])
    cells = bad_cells(fleeting) if options.flashes else None
    camera = next(c for c in world.site.models[0].cameras if c.sensor is Sensor.THERMAL)
    heading = float(rng.uniform(0.0, 360.0))
    beside = float(rng.uniform(-15.0, 15.0))
    middle = world.frame.to_place(target.east_m, target.north_m)
    middle = moved(middle, heading + 90.0, beside)
    for i in range(options.frames):
        noise.advance(STEP_M / SPEED_M_S)
        at = world.epoch_at + timedelta(seconds=i * STEP_M / SPEED_M_S)
        place = moved(middle, heading, (i - (options.frames - 1) / 2) * STEP_M)
        east, north = world.frame.east_north(place.lat_deg, place.lon_deg)
        true = TruePose(place, world.relief.at(float(east), float(north)) + ABOVE_M, heading, -90.0)
        job = _job(world, camera, true, noise, at, stem=Path(name) / f"GP_{i + 1:04d}", index=seed * 100 + i)
        celsius = cameras.thermal(job, camera)
        if options.flashes:
            flashes(celsius, fleeting, sun_deg=Sky.over(place, at).sun_elevation_deg)
        if cells is not None:
            celsius = np.maximum(celsius, cells)
        facts = _facts(world, View.of(true, camera, world.frame), at, camera)
        light = "day" if 6 <= at.hour < 19 else "night"
        row = {"pass": name, "frame": i, "of": target.name, "what": target.what, "light": light, **facts}
        for file in _written(out, job, camera, celsius, seed=seed, clip=options.clipped):
            yield {"file": str(file), **row}


def _job(
    world: World, camera: Camera, true: TruePose, noise: PoseNoise, at: datetime, *, stem: Path, index: int
) -> PictureJob:
    told = reported(true, noise.sample())
    return PictureJob(
        stem=stem,
        true=true,
        reported=told,
        above_home_m=ABOVE_M,
        cameras=(camera,),
        taken_at=at,
        reported_at=at + timedelta(seconds=noise.clock_s()),
        drone=world.site.drones[0].id,
        image_index=index,
    )


def _facts(world: World, view: View, at: datetime, camera: Camera) -> dict[str, object]:
    """Return whether a fire shows, and where: the largest whose middle is well inside the picture."""
    largest: dict[str, object] = {"fire": 0}
    cut = False
    for fire, _ in sorted(fires_in_view(view, world, at), key=lambda f: f[0].area_m2(at)):
        pixel, depth = view.pixels(np.array([[fire.east_m, fire.north_m, fire.ground_m]]))
        x, y = (float(v) for v in pixel[0])
        radius = max(fire.radius_m(at) * camera.focal_px / float(depth[0]), 1.0)
        if not (EDGE_PX <= x <= camera.width_px - EDGE_PX and EDGE_PX <= y <= camera.height_px - EDGE_PX):
            cut = True
            continue
        area = round(fire.area_m2(at), 3)
        largest = {
            "fire": 1,
            "x_px": round(x, 1),
            "y_px": round(y, 1),
            "radius_px": round(radius, 1),
            "area_m2": area,
        }
    return {"fire": -1} if cut and largest["fire"] == 0 else largest


def _written(
    out: Path, job: PictureJob, camera: Camera, celsius: Pixels, *, seed: int, clip: bool
) -> Iterator[Path]:
    """Write one picture as °C and as 8 bits; yield the paths below `out`."""
    caption = Caption(camera, job.reported, job.above_home_m, job.reported_at, job.drone, job.image_index)
    exact = Path("celsius") / job.stem.with_name(f"{job.stem.name}_T.TIF")
    rendered = {"grey8": stretched(celsius, seed)} | ({"clipped8": clipped(celsius)} if clip else {})
    (out / exact).parent.mkdir(parents=True, exist_ok=True)
    write_thermal(out / exact, celsius, caption)
    yield exact
    for folder, grey in rendered.items():
        path = Path(folder) / job.stem.with_name(f"{job.stem.name}_T.JPG")
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        write_colour(out / path, np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)), caption)
        yield path


def stretched(celsius: Pixels, which: int) -> npt.NDArray[np.uint8]:
    """Return temperatures as 8 bits, in one of the ways that cameras have."""
    low, high = ((float(celsius.min()), float(celsius.max())), (-20.0, 150.0))[which % len(STRETCHES)]
    return _levels(celsius, low, high)


def clipped(celsius: Pixels) -> npt.NDArray[np.uint8]:
    """Return temperatures as 8 bits, the coldest fiftieth and the hottest thousandth cut off."""
    return _levels(celsius, float(np.percentile(celsius, 2)), float(np.percentile(celsius, 99.9)))


def _levels(celsius: Pixels, low: float, high: float) -> npt.NDArray[np.uint8]:
    grey = np.clip((celsius - low) * (255.0 / max(high - low, 1e-3)), 0, 255)
    return np.asarray(grey.astype(np.uint8))


def main() -> None:
    """Write a set, as the module's first lines say."""
    words = argparse.ArgumentParser(prog="python -m sim.passes", description="Thermal pictures with labels.")
    words.add_argument("out", type=Path, help="folder to write to")
    words.add_argument("--worlds", type=int, default=2, help="how many worlds")
    words.add_argument("--seed", type=int, default=1, help="the first world's seed")
    words.add_argument("--frames", type=int, default=7, help="frames of a pass")
    words.add_argument("--clipped", action="store_true", help="also 8 bits with the hottest cut off")
    words.add_argument("--flashes", action="store_true", help="with the sun in glass, and bad cells")
    asked = words.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    options = Options(asked.frames, asked.clipped, asked.flashes)
    many = write(asked.out, worlds=asked.worlds, seed=asked.seed, options=options)
    print(f"{many} frames and labels.csv in {asked.out}")


if __name__ == "__main__":
    main()
