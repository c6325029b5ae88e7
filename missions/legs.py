"""Time and energy of many legs at once: the formulas of `missions.energy`, over arrays.

`missions.energy` says what a leg takes, one leg at a time and with the reason where it cannot be flown;
here the same is worked out for a whole matrix, infinite where it cannot. A test holds the two together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from missions.air import Aloft, Wind
from missions.energy import LEAST_GROUND_SPEED_M_S, TURN_ABOUT_S
from missions.geo import Floats
from missions.model import DroneModel


@dataclass(frozen=True, slots=True)
class Legs:
    """Straight legs: length over the ground, height gained, track (NaN for none) and mean height of each."""

    run_m: Floats
    rise_m: Floats
    track_deg: Floats
    middle_m: Floats

    @classmethod
    def of(cls, starts: Floats, ends: Floats) -> "Legs":
        """Return the legs between points, a row (east, north, height) each."""
        east, north, rise = (ends - starts).T
        run = np.hypot(east, north)
        track = np.where(run > 0, np.degrees(np.arctan2(east, north)) % 360, np.nan)
        return cls(run, rise, track, (starts[:, 2] + ends[:, 2]) / 2)


def worst(model: DroneModel, legs: Legs, winds: Sequence[Wind]) -> tuple[Floats, Floats]:
    """Return seconds and watt hours of each leg in the worst of the winds for it."""
    each = [in_wind(model, legs, wind) for wind in winds]
    return np.maximum.reduce([time for time, _ in each]), np.maximum.reduce([wh for _, wh in each])


def in_wind(model: DroneModel, legs: Legs, wind: Wind) -> tuple[Floats, Floats]:
    """Return seconds and watt hours of each leg in the wind at its middle, infinite in too much of it."""
    east, north = _blows(wind, legs.middle_m)
    track = np.radians(np.nan_to_num(legs.track_deg))
    tail, across = east * np.sin(track) + north * np.cos(track), east * np.cos(track) - north * np.sin(track)
    over_ground = np.sqrt(np.maximum(0.0, model.cruise_m_s**2 - across**2)) + tail
    moves = legs.run_m > 0
    speed = np.minimum(np.maximum(over_ground, LEAST_GROUND_SPEED_M_S), peak_m_s(model, legs.run_m))
    along = np.divide(legs.run_m, speed, out=np.zeros_like(legs.run_m), where=moves)
    up = legs.rise_m > 0
    height = np.abs(legs.rise_m) / np.where(up, model.climb_m_s, model.descent_m_s)
    time = np.maximum(along, height)
    joules = (
        along * model.cruise_w
        + (time - along) * model.hover_w
        + height * (np.where(up, model.climb_w, model.descent_w) - model.hover_w)
    )
    # Neither with too little ground speed is a leg to be flown, nor in more wind than the drone stands.
    lost = (np.abs(across) >= model.cruise_m_s) | (over_ground < LEAST_GROUND_SPEED_M_S)
    shut = (moves & lost) | (np.hypot(east, north) > model.max_wind_m_s + 1e-9)
    return np.where(shut, np.inf, time), np.where(shut, np.inf, joules / 3600)


def peak_m_s(model: DroneModel, run_m: Floats) -> Floats:
    """Return the speed that a drone reaches halfway from rest to rest over each distance."""
    a, j = model.accel_m_s2, model.jerk_m_s3
    b = a * a / j
    short = (run_m * np.sqrt(j) / 2) ** (2 / 3)
    return np.asarray(np.where(run_m <= 2 * a**3 / j**2, short, (np.sqrt(b * b + 4 * a * run_m) - b) / 2))


def turns_s(by_deg: Floats) -> Floats:
    """Return the seconds that changing the track by each angle takes, none where there is no angle (NaN)."""
    return np.nan_to_num(TURN_ABOUT_S * np.abs((by_deg + 180) % 360 - 180) / 180)


def _blows(wind: Wind, above_sea_m: Floats) -> tuple[Floats, Floats]:
    """Return east and north metres a second that the air moves at each height."""
    ground = Aloft(wind.above_sea_m, wind.speed_m_s, wind.from_deg)
    known = sorted((ground, *wind.aloft), key=lambda layer: layer.above_sea_m)
    heights, speeds, towards = (
        np.array(column)
        for column in zip(
            *((k.above_sea_m, k.speed_m_s, np.radians(k.from_deg + 180.0)) for k in known), strict=True
        )
    )
    return (
        np.interp(above_sea_m, heights, speeds * np.sin(towards)),
        np.interp(above_sea_m, heights, speeds * np.cos(towards)),
    )
