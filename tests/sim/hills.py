"""A small made-up site for the tests of world and camera: a slope with a wood, a river, a village, a line."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np

from missions.geo import Area, Corridor, Floats, LatLon, LocalFrame
from missions.model import (
    Camera,
    CameraPose,
    Demand,
    Dock,
    Drone,
    DroneModel,
    Hazard,
    NamedArea,
    PowerLine,
    ReferenceLayers,
    River,
    Sensor,
    Site,
    Wind,
)
from sim.camera import Cameras, PictureJob
from sim.hazards import Decoy, DecoyKind, Fire
from sim.projection import TruePose
from sim.world import World

ORIGIN = LatLon(30.28, 119.42)
FRAME = LocalFrame(ORIGIN)
EPOCH_AT = datetime(2026, 6, 1, 2, tzinfo=UTC)
FLOOR_M, RISE = 100.0, 0.25  # level south of the origin's parallel, rising to the north
THERMAL = Camera.from_optics(
    "T", Sensor.THERMAL, width_px=640, height_px=512, focal_mm=9.1, sensor_width_mm=7.68
)
RGB = Camera.from_optics("W", Sensor.RGB, width_px=1280, height_px=960, focal_mm=4.5, sensor_width_mm=4.8)
NAMES = {"en-US": "hills"}


@dataclass(frozen=True)
class Slope:
    """An elevation model by formula."""

    bounds: tuple[float, float, float, float]
    resolution_m: float = 10.0

    def elevation_m(self, lat_deg: Floats, lon_deg: Floats) -> Floats:
        _, north = FRAME.east_north(lat_deg, lon_deg)
        return FLOOR_M + RISE * np.clip(north, 0.0, None)


def slope() -> Slope:
    south_west, north_east = FRAME.to_place(-900, -700), FRAME.to_place(900, 900)
    return Slope((south_west.lon_deg, south_west.lat_deg, north_east.lon_deg, north_east.lat_deg))


def box(west_m: float, south_m: float, east_m: float, north_m: float) -> Area:
    corners = ((west_m, south_m), (east_m, south_m), (east_m, north_m), (west_m, north_m))
    return Area(tuple(FRAME.to_place(x, y) for x, y in corners))


def line(*points: tuple[float, float]) -> tuple[LatLon, ...]:
    return tuple(FRAME.to_place(x, y) for x, y in points)


@cache
def site() -> Site:
    wood, village = box(-700, 50, 600, 650), box(-200, -300, 100, -120)
    towers = line(*((x, 20.0) for x in range(-800, 801, 200)))
    model = DroneModel("GP-1", 12, 4, 3, 500, 520, 700, 480, 450, 0.25, 12, (THERMAL, RGB))
    layers = ReferenceLayers(
        lines=(PowerLine("line", NAMES, 110.0, tuple((str(i), p) for i, p in enumerate(towers))),),
        rivers=(River("river", NAMES, line((-880, -450), (0, -420), (880, -450))),),
        compartments=(NamedArea("wood", "compartment", NAMES, wood),),
        villages=(NamedArea("village", "village", NAMES, village),),
    )
    return Site(
        id="hills",
        name=NAMES,
        timezone="Asia/Shanghai",
        terrain="",
        origin=ORIGIN,
        docks=(Dock("dock", NAMES, FRAME.to_place(300, -200), FLOOR_M, 1800.0, 12.0),),
        drones=(Drone("D1", "GP-1", "dock", 1),),
        models=(model,),
        agencies=(),
        demands=(
            _demand("wood", wood),
            _demand("village", box(-300, -380, 200, 0)),
            _demand("line", Corridor(towers, 40.0)),
        ),
        no_fly=(),
        layers=layers,
        wind=Wind(3.0, 300.0),
    )


def _demand(name: str, where: Area | Corridor) -> Demand:
    return Demand(name, "a", frozenset({Hazard.FIRE}), where, frozenset({Sensor.THERMAL}), 120.0, 3600.0)


@cache
def world(seed: int = 1, scenario: str = "fire") -> World:
    return World.build(site(), slope(), seed=seed, scenario=scenario, epoch_at=EPOCH_AT)


def ground_m(north_m: float) -> float:
    return FLOOR_M + RISE * max(north_m, 0.0)


def fire(east_m: float, north_m: float, *, area_m2: float = 4.0, temp_c: float = 600.0) -> Fire:
    """Return a fire that has just begun, does not spread and is hidden by nothing."""
    return Fire("F1", east_m, north_m, ground_m(north_m), area_m2, 0.0, temp_c, EPOCH_AT, EPOCH_AT, 1.0, 0.0)


def stove(east_m: float, north_m: float, *, area_m2: float, temp_c: float) -> Decoy:
    side = area_m2**0.5
    return Decoy("N1", DecoyKind.STOVE, east_m, north_m, ground_m(north_m), 0.7, side, side, 0.0, temp_c)


def cameras(*, fires: tuple[Fire, ...] = (), decoys: tuple[Decoy, ...] = ()) -> Cameras:
    """Return the cameras over the hills with these hazards and no others."""
    return Cameras(replace(world(scenario="calm"), fires=fires, decoys=decoys))


def job(pose: TruePose, *, after_s: float = 60.0, folder: Path = Path(), index: int = 0) -> PictureJob:
    """Return a job whose reported pose differs from the true one in every part."""
    at = EPOCH_AT + timedelta(seconds=after_s)
    reported = CameraPose(
        LatLon(pose.place.lat_deg + 1e-5, pose.place.lon_deg - 1e-5),
        pose.altitude_m + 1.5,
        (pose.heading_deg + 2.0) % 360.0,
        pose.pitch_deg + 0.5,
        -0.25,
    )
    return PictureJob(
        stem=folder / f"GP_{index + 1:04d}",
        true=pose,
        reported=reported,
        above_home_m=reported.altitude_m - FLOOR_M,
        cameras=(THERMAL, RGB),
        taken_at=at,
        reported_at=at + timedelta(milliseconds=40),
        drone="D1",
        image_index=index,
    )


def above(east_m: float, north_m: float, *, height_m: float = 120.0, heading_deg: float = 0.0) -> TruePose:
    """Return a pose that looks straight down on a place."""
    place = FRAME.to_place(east_m, north_m)
    return TruePose(place, ground_m(north_m) + height_m, heading_deg, -90.0)
