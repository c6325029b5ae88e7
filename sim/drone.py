"""A multirotor as a moving point: it follows legs, drifts in gusts and empties its battery.

Coordinates are metres east, north and up of the pad it started from. What it is
to do comes in as a goal at every step; how autopilots choose goals is no
business of this file. Speeds follow the drone model, accelerations are those
ArduCopter ships with (WPNAV_ACCEL 2.5 m/s², WPNAV_ACCEL_Z 1 m/s²).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from missions.model import DroneModel
from sim.battery import Battery

ACCELERATION_M_S2 = 2.5
VERTICAL_ACCELERATION_M_S2 = 1.0
TURN_DEG_S = 60.0
CORNER_OVERSHOOT_M = 4.0  # how far past a corner it may swing before it is on the next leg
HARD_LANDING_M_S = 3.5  # a drone that meets the ground faster breaks
_CROSS_GAIN = 0.6  # 1/s: how hard it returns to the line it should be on
_GUST_LEAK = 0.06  # the share of a gust that position control lets through


class Point(NamedTuple):
    """Metres east, north and up of the pad."""

    east_m: float
    north_m: float
    up_m: float


@dataclass(frozen=True, slots=True)
class Rest:
    """Motors off."""


@dataclass(frozen=True, slots=True)
class Idle:
    """Motors turning on the ground."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Hover at a point."""

    at: Point


@dataclass(frozen=True, slots=True)
class Sink:
    """Go straight down over a point, at a rate, until the ground."""

    over: Point
    rate_m_s: float


@dataclass(frozen=True, slots=True)
class Move:
    """Keep a velocity."""

    east_m_s: float
    north_m_s: float
    up_m_s: float


@dataclass(frozen=True, slots=True)
class Follow:
    """Fly a straight leg and leave its end at `exit_m_s` (0: stop there).

    `speed_m_s` bounds the horizontal part, the model's climb and descent the other.
    """

    start: Point
    end: Point
    speed_m_s: float
    exit_m_s: float = 0.0

    @property
    def length_m(self) -> float:
        return math.dist(self.start, self.end)


Goal = Rest | Idle | Hold | Sink | Move | Follow


def level(_east_m: float, _north_m: float) -> float:
    """Return the ground's height above the pad in country that is flat."""
    return 0.0


class Multirotor:
    """One aircraft: where it is, how it moves, what is left in its battery."""

    def __init__(
        self, model: DroneModel, ground_m: Callable[[float, float], float] = level, heading_deg: float = 0.0
    ) -> None:
        self.model = model
        self.at = Point(0.0, 0.0, 0.0)
        self.velocity = (0.0, 0.0, 0.0)  # east, north, up
        self.heading_deg = heading_deg
        self.face_deg: float | None = None  # the heading it turns to; None keeps the present one
        self.climb_m_s = model.climb_m_s
        self.descent_m_s = model.descent_m_s
        self.airborne = False
        self.crashed = False
        self.held_down = False  # a shut lid keeps it on the ground
        self.battery = Battery(model.battery_wh)
        self.power_w = 0.0
        self.air_m_s = 0.0
        self._ground_m = ground_m

    @property
    def ground_speed_m_s(self) -> float:
        return math.hypot(self.velocity[0], self.velocity[1])

    @property
    def above_ground_m(self) -> float:
        return self.at.up_m - self._ground_m(self.at.east_m, self.at.north_m)

    def remaining_m(self, leg: Follow) -> float:
        """Return the way left along a leg; negative once past its end."""
        length = leg.length_m
        if length < 1e-6:
            return 0.0
        done = sum((p - a) * (b - a) for p, a, b in zip(self.at, leg.start, leg.end, strict=True))
        return length - done / length

    def step(self, dt_s: float, goal: Goal, wind: tuple[float, float] = (0.0, 0.0)) -> None:
        """Move `dt_s` seconds on towards the goal in an air that moves (east, north) m/s."""
        if not self.airborne and (self.held_down or isinstance(goal, Rest | Idle)):
            self._rest(dt_s, 0.0 if isinstance(goal, Rest) else _IDLE_W)
            return
        falling = isinstance(goal, Rest) or self.battery.is_empty
        wanted = (0.0, 0.0, -_FALL_M_S) if falling else self._wanted(goal)
        self._accelerate(wanted, dt_s, falling=falling)
        self._move(dt_s, wind)
        self._turn(dt_s)
        self._drain(dt_s, wind, falling=falling)
        self._meet_ground(wanted)

    def charge(self, energy_wh: float) -> None:
        """Put energy into the battery, up to full."""
        self.battery.charge(energy_wh)

    def _wanted(self, goal: Goal) -> tuple[float, float, float]:
        match goal:
            case Follow():
                return self._along(goal)
            case Hold(at):
                return self._towards(at)
            case Sink(over, rate):
                east, north, _ = self._towards(over)
                return east, north, -rate
            case Move(east, north, up):
                return east, north, up
            case _:
                return 0.0, 0.0, -self.descent_m_s

    def _towards(self, at: Point) -> tuple[float, float, float]:
        east, north, up = (b - a for a, b in zip(self.at, at, strict=True))
        away = math.hypot(east, north)
        scale = min(1.0, _stopping_m_s(away, ACCELERATION_M_S2) / away) if away > 1e-6 else 0.0
        rise = math.copysign(min(abs(up), _stopping_m_s(abs(up), VERTICAL_ACCELERATION_M_S2)), up)
        return east * scale, north * scale, max(-self.descent_m_s, min(self.climb_m_s, rise))

    def _along(self, leg: Follow) -> tuple[float, float, float]:
        length = leg.length_m
        if length < 0.01:
            return self._towards(leg.end)
        unit = [(b - a) / length for a, b in zip(leg.start, leg.end, strict=True)]
        done = sum((p - a) * u for p, a, u in zip(self.at, leg.start, unit, strict=True))
        level_share, rise = math.hypot(unit[0], unit[1]), unit[2]
        left = max(0.0, length - done)
        speed = self._leg_speed(leg, level_share, rise, left)
        off = [a + u * done - p for p, a, u in zip(self.at, leg.start, unit, strict=True)]
        east, north = unit[0] * speed + off[0] * _CROSS_GAIN, unit[1] * speed + off[1] * _CROSS_GAIN
        up = rise * speed + off[2] * _CROSS_GAIN
        return east, north, max(-self.descent_m_s, min(self.climb_m_s, up))

    def _leg_speed(self, leg: Follow, level_share: float, rise: float, left: float) -> float:
        """Return the speed along a leg that both axes allow and that lets it brake in time."""
        speed, brake = math.inf, math.inf
        if level_share > 1e-3:
            speed, brake = leg.speed_m_s / level_share, ACCELERATION_M_S2 / level_share
        if abs(rise) > 1e-3:
            limit = self.climb_m_s if rise > 0 else self.descent_m_s
            speed = min(speed, limit / abs(rise))
            brake = min(brake, VERTICAL_ACCELERATION_M_S2 / abs(rise))
        leaving = min(leg.exit_m_s, speed)
        if leaving < 0.1:
            return min(speed, _stopping_m_s(left, brake))
        return min(speed, math.sqrt(leaving * leaving + 2.0 * brake * left))

    def _accelerate(self, wanted: tuple[float, float, float], dt_s: float, *, falling: bool) -> None:
        east, north, up = self.velocity
        change_east, change_north = wanted[0] - east, wanted[1] - north
        change = math.hypot(change_east, change_north)
        scale = min(1.0, ACCELERATION_M_S2 * dt_s / change) if change > 0 else 0.0
        lift = (9.81 if falling else VERTICAL_ACCELERATION_M_S2) * dt_s
        rise = max(-lift, min(lift, wanted[2] - up))
        self.velocity = (east + change_east * scale, north + change_north * scale, up + rise)

    def _move(self, dt_s: float, wind: tuple[float, float]) -> None:
        leak = _GUST_LEAK if self.airborne else 0.0
        east, north, up = self.velocity
        self._smooth_wind(wind, dt_s)
        self.at = Point(
            self.at.east_m + (east + leak * (wind[0] - self._mean_wind[0])) * dt_s,
            self.at.north_m + (north + leak * (wind[1] - self._mean_wind[1])) * dt_s,
            self.at.up_m + up * dt_s,
        )

    _mean_wind: tuple[float, float] = (0.0, 0.0)

    def _smooth_wind(self, wind: tuple[float, float], dt_s: float) -> None:
        """Learn the steady wind, as a position controller's integrator does over some seconds."""
        share = min(1.0, dt_s / 5.0)
        east, north = self._mean_wind
        self._mean_wind = (east + (wind[0] - east) * share, north + (wind[1] - north) * share)

    def _turn(self, dt_s: float) -> None:
        if self.face_deg is None:
            return
        error = (self.face_deg - self.heading_deg + 180.0) % 360.0 - 180.0
        limit = TURN_DEG_S * dt_s
        self.heading_deg = (self.heading_deg + max(-limit, min(limit, error))) % 360.0

    def _drain(self, dt_s: float, wind: tuple[float, float], *, falling: bool) -> None:
        east, north, up = self.velocity
        self.air_m_s = math.hypot(east - wind[0], north - wind[1])
        self.power_w = 0.0 if falling else power_w(self.model, self.air_m_s, up)
        self.battery.drain(self.power_w, dt_s)

    def _meet_ground(self, wanted: tuple[float, float, float]) -> None:
        ground = self._ground_m(self.at.east_m, self.at.north_m)
        if self.at.up_m > ground + 0.02:
            self.airborne = True
            return
        if self.airborne and wanted[2] <= 0:
            fast = max(-self.velocity[2], self.ground_speed_m_s)
            self.crashed = self.crashed or fast > HARD_LANDING_M_S
            self.airborne = False
            self.velocity = (0.0, 0.0, 0.0)
        elif self.airborne:
            self.crashed = self.ground_speed_m_s > HARD_LANDING_M_S  # flew into a slope
            self.airborne = not self.crashed
        self.at = Point(self.at.east_m, self.at.north_m, ground)

    def _rest(self, dt_s: float, power: float) -> None:
        self.velocity = (0.0, 0.0, 0.0)
        self.power_w = power
        self.air_m_s = 0.0
        if power:
            self.battery.drain(power, dt_s)


_IDLE_W = 40.0  # motors at their lowest turn
_FALL_M_S = 18.0


def corner_speed_m_s(before: Follow, after: Point) -> float:
    """Return how fast the end of a leg may be passed when another leg to `after` follows.

    Sideways of the next leg the drone still moves at v·sin(turn) and stops that
    in v²·sin²(turn) / 2a, which is to stay under `CORNER_OVERSHOOT_M`.
    """
    a = (before.end.east_m - before.start.east_m, before.end.north_m - before.start.north_m)
    b = (after.east_m - before.end.east_m, after.north_m - before.end.north_m)
    lengths = math.hypot(*a) * math.hypot(*b)
    if lengths < 1e-6:
        return 0.0
    cosine = (a[0] * b[0] + a[1] * b[1]) / lengths
    sine = 1.0 if cosine <= 0 else math.sqrt(max(0.0, 1.0 - cosine * cosine))
    limit = math.sqrt(2.0 * ACCELERATION_M_S2 * CORNER_OVERSHOOT_M)
    return math.inf if sine < 1e-3 else limit / sine


def power_w(model: DroneModel, air_m_s: float, up_m_s: float) -> float:
    """Return the electrical power at an airspeed and a climb rate.

    From hover to cruise the induced power falls off linearly; above cruise the
    parasitic share (a third of cruise power, typical of quadrotors: Bauersfeld &
    Scaramuzza, Range, Endurance and Optimal Speed for Multicopters, 2022) grows
    with the cube of the airspeed. Climb and descent add their share by rate.
    """
    ratio = air_m_s / model.cruise_m_s
    if ratio <= 1.0:
        flat = model.hover_w + (model.cruise_w - model.hover_w) * ratio
    else:
        flat = model.cruise_w * (1.0 + (ratio**3 - 1.0) / 3.0)
    if up_m_s >= 0:
        return flat + (model.climb_w - model.hover_w) * up_m_s / model.climb_m_s
    return flat + (model.descent_w - model.hover_w) * min(1.0, -up_m_s / model.descent_m_s)


def _stopping_m_s(left_m: float, brake_m_s2: float) -> float:
    """Return the speed from which one can still stop in the way left, softer over the last metre."""
    return min(math.sqrt(2.0 * brake_m_s2 * left_m), 1.2 * left_m + 0.05)
