"""A multirotor as a moving point: it follows legs, drifts in gusts and empties its battery.

Coordinates are metres east, north and up of the pad it started from. What it is
to do comes in as a goal at every step; how autopilots choose goals is no
business of this file. Speeds follow the drone model; how hard it may accelerate,
and how fast that may change, are `Limits` that its autopilot sets: they, and not
the top speed, decide how fast short legs are flown.

A drone flies by what it believes. Where its GPS is off, `believed` differs from
`at`, and it steers the belief along the leg.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from missions.model import DroneModel
from sim.battery import Battery
from sim.troubles import SOUND, Troubles

TURN_DEG_S = 60.0
HARD_LANDING_M_S = 3.5  # a drone that meets the ground faster breaks
CROSS_GAIN = 0.6  # 1/s: how hard it returns to the line it should be on
STEADY_S = 5.0  # how long a position controller takes to learn the steady wind
NO_LENGTH_M = 0.01
UPRIGHT = 1e-3  # the share of a leg below which it has no level, or no upright part
GUST_LEAK = 0.06  # the share of a gust that position control lets through


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


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard a drone may accelerate; the defaults are those ArduCopter ships with.

    `corner_m` is how far a corner may be cut, ArduCopter's WPNAV_RADIUS.
    """

    accel_m_s2: float = 2.5
    jerk_m_s3: float = 1.0
    accel_up_m_s2: float = 1.0
    corner_m: float = 2.0


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
        self.limits = Limits()
        self.troubles: Troubles = SOUND
        self.is_sound = True  # nothing is wrong with it
        self.at = Point(0.0, 0.0, 0.0)
        self.believed = self.at
        self._off = _NOWHERE
        self.velocity = (0.0, 0.0, 0.0)  # east, north, up
        self.push = (0.0, 0.0)  # the acceleration it has, east and north
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
        p, a, b = self.believed, leg.start, leg.end
        done = (p[0] - a[0]) * (b[0] - a[0]) + (p[1] - a[1]) * (b[1] - a[1]) + (p[2] - a[2]) * (b[2] - a[2])
        return length - done / length

    def step(self, dt_s: float, goal: Goal, wind: tuple[float, float] = (0.0, 0.0)) -> None:
        """Move `dt_s` seconds on towards the goal in an air that moves (east, north) m/s."""
        self._believe()
        if not self.airborne and (self.held_down or isinstance(goal, Rest | Idle)):
            self._rest(dt_s, 0.0 if isinstance(goal, Rest) else _IDLE_W)
            return
        falling = isinstance(goal, Rest) or self.battery.is_empty
        wanted = (0.0, 0.0, -_FALL_M_S) if falling else self._possible(self._wanted(goal), wind)
        self._accelerate(wanted, dt_s, falling=falling)
        self._move(dt_s, wind)
        self._turn(dt_s)
        self._drain(dt_s, wind, falling=falling)
        self.meet_ground(wanted)

    def suffer(self, troubles: Troubles) -> None:
        """Take on what is wrong now, in place of what was."""
        self.troubles = troubles
        self.is_sound = troubles == SOUND
        self._off = troubles.believed_off_m
        self.battery.drop_v = troubles.cell_drop_v
        self._believe()

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

    def _possible(
        self, wanted: tuple[float, float, float], wind: tuple[float, float]
    ) -> tuple[float, float, float]:
        """Return what of a wanted velocity a wrong compass, a storm and weak motors leave."""
        east, north, up = wanted if self.is_sound else self._troubled(wanted, wind)
        air_east, air_north = east - wind[0], north - wind[1]
        air, top = math.hypot(air_east, air_north), self.model.cruise_m_s + self.model.max_wind_m_s
        if air <= top:
            return east, north, up
        return wind[0] + air_east * top / air, wind[1] + air_north * top / air, up

    def _troubled(
        self, wanted: tuple[float, float, float], wind: tuple[float, float]
    ) -> tuple[float, float, float]:
        (east, north, up), troubles = wanted, self.troubles
        if troubles.is_lost:  # nothing to steer by: it goes with the air, more slowly
            east, north = wind[0] * _ADRIFT, wind[1] * _ADRIFT
        elif troubles.compass_deg:
            turn = math.radians(troubles.compass_deg)
            east, north = (
                east * math.cos(turn) - north * math.sin(turn),
                east * math.sin(turn) + north * math.cos(turn),
            )
        spare = troubles.thrust
        if spare < 1.0:
            up = min(up, self.climb_m_s * spare) if spare > _HOVERS else -_SINKS_M_S * (1.0 - spare / _HOVERS)
        return east, north, up

    def _believe(self) -> None:
        off, at = self._off, self.at
        self.believed = at if off == _NOWHERE else Point(at[0] + off[0], at[1] + off[1], at[2] + off[2])

    def _towards(self, at: Point) -> tuple[float, float, float]:
        east, north, up = (b - a for a, b in zip(self.believed, at, strict=True))
        away = math.hypot(east, north)
        limits = self.limits
        fast = _stopping_m_s(away, limits.accel_m_s2 * EARLY, limits.jerk_m_s3)
        scale = min(1.0, min(fast, self.model.cruise_m_s) / away) if away > 1e-6 else 0.0
        rise = math.copysign(min(abs(up), _braking_m_s(abs(up), limits.accel_up_m_s2)), up)
        return east * scale, north * scale, max(-self.descent_m_s, min(self.climb_m_s, rise))

    def _along(self, leg: Follow) -> tuple[float, float, float]:
        length = leg.length_m
        if length < NO_LENGTH_M:
            return self._towards(leg.end)
        p, a, b = self.believed, leg.start, leg.end
        unit = ((b[0] - a[0]) / length, (b[1] - a[1]) / length, (b[2] - a[2]) / length)
        done = (p[0] - a[0]) * unit[0] + (p[1] - a[1]) * unit[1] + (p[2] - a[2]) * unit[2]
        level_share, rise = math.hypot(unit[0], unit[1]), unit[2]
        left = length - done - self.ground_speed_m_s * SWELLS_S
        speed = self._leg_speed(leg, length, level_share, rise, max(0.0, left))
        off = [a[i] + unit[i] * done - p[i] for i in range(3)]
        east, north = unit[0] * speed + off[0] * CROSS_GAIN, unit[1] * speed + off[1] * CROSS_GAIN
        up = rise * speed + off[2] * CROSS_GAIN
        return east, north, max(-self.descent_m_s, min(self.climb_m_s, up))

    def _leg_speed(self, leg: Follow, length: float, level_share: float, rise: float, left: float) -> float:
        """Return the speed along a leg that both axes allow and that lets it brake in time."""
        speed, brake = math.inf, math.inf
        limits = self.limits
        if level_share > UPRIGHT:
            speed, brake = leg.speed_m_s / level_share, limits.accel_m_s2 / level_share
        if abs(rise) > UPRIGHT:
            limit = self.climb_m_s if rise > 0 else self.descent_m_s
            speed = min(speed, limit / abs(rise))
            brake = min(brake, limits.accel_up_m_s2 / abs(rise))
        if level_share > UPRIGHT:
            speed = min(speed, peak_m_s(length, brake, limits.jerk_m_s3))
        leaving = min(leg.exit_m_s, speed)
        if leaving < 0.1:
            if level_share <= UPRIGHT:
                return min(speed, _braking_m_s(left, brake))
            return min(speed, _stopping_m_s(left, brake * EARLY, limits.jerk_m_s3))
        return min(speed, _slowing_m_s(left, leaving, brake * EARLY, limits.jerk_m_s3))

    def _accelerate(self, wanted: tuple[float, float, float], dt_s: float, *, falling: bool) -> None:
        """Change the velocity, no harder than the limits, and the acceleration no faster than theirs."""
        east, north, up = self.velocity
        lift = (9.81 if falling else self.limits.accel_up_m_s2) * dt_s
        rise = max(-lift, min(lift, wanted[2] - up))
        self.push = self._push(wanted[0] - east, wanted[1] - north, dt_s)
        self.velocity = (east + self.push[0] * dt_s, north + self.push[1] * dt_s, up + rise)

    def _push(self, gap_east: float, gap_north: float, dt_s: float) -> tuple[float, float]:
        """Return the acceleration for a gap in velocity: it swells, and ebbs before the gap is closed."""
        gap = math.hypot(gap_east, gap_north)
        if gap < 1e-9:
            return 0.0, 0.0
        jerk = self.limits.jerk_m_s3 * JERK_MARGIN
        hard = min(self.limits.accel_m_s2, math.sqrt(2.0 * jerk * gap), gap / dt_s)
        want_east, want_north = gap_east / gap * hard, gap_north / gap * hard
        change_east, change_north = want_east - self.push[0], want_north - self.push[1]
        change = math.hypot(change_east, change_north)
        scale = min(1.0, jerk * dt_s / change) if change > 0 else 0.0
        if change_east * self.push[0] + change_north * self.push[1] < 0:
            scale = 1.0  # letting go is not limited: it would overshoot
        return self.push[0] + change_east * scale, self.push[1] + change_north * scale

    def _move(self, dt_s: float, wind: tuple[float, float]) -> None:
        leak = GUST_LEAK if self.airborne else 0.0
        east, north, up = self.velocity
        self._smooth_wind(wind, dt_s)
        self.at = Point(
            self.at.east_m + (east + leak * (wind[0] - self.mean_wind[0])) * dt_s,
            self.at.north_m + (north + leak * (wind[1] - self.mean_wind[1])) * dt_s,
            self.at.up_m + up * dt_s,
        )
        self._believe()

    mean_wind: tuple[float, float] = (0.0, 0.0)

    def _smooth_wind(self, wind: tuple[float, float], dt_s: float) -> None:
        """Learn the steady wind, as a position controller's integrator does over some seconds."""
        share = min(1.0, dt_s / STEADY_S)
        east, north = self.mean_wind
        self.mean_wind = (east + (wind[0] - east) * share, north + (wind[1] - north) * share)

    def _turn(self, dt_s: float) -> None:
        if self.face_deg is None:
            return
        error = (self.face_deg - self.heading_deg + 180.0) % 360.0 - 180.0
        limit = TURN_DEG_S * dt_s
        self.heading_deg = (self.heading_deg + max(-limit, min(limit, error))) % 360.0

    def _drain(self, dt_s: float, wind: tuple[float, float], *, falling: bool) -> None:
        east, north, up = self.velocity
        self.air_m_s = math.hypot(east - wind[0], north - wind[1])
        self.power_w = 0.0 if falling else power_w(self.model, self.air_m_s, up) * self._effort()
        self.battery.drain(self.power_w, dt_s)

    def _effort(self) -> float:
        """Return how much more power a weak motor's neighbours take to make up for it."""
        return 1.0 + 0.3 * (1.0 - self.troubles.thrust)

    def meet_ground(self, wanted: tuple[float, float, float]) -> None:
        """Notice that it has left or met the ground; `wanted` is the velocity it strives for."""
        ground = self._ground_m(self.at.east_m, self.at.north_m)
        if self.at.up_m > ground + 0.02:
            self.airborne = True
            return
        if self.airborne and wanted[2] <= 0:
            fast = max(-self.velocity[2], self.ground_speed_m_s)
            self.crashed = self.crashed or fast > HARD_LANDING_M_S
            self.airborne = False
            self.velocity, self.push = (0.0, 0.0, 0.0), (0.0, 0.0)
        elif self.airborne:
            self.crashed = self.ground_speed_m_s > HARD_LANDING_M_S  # flew into a slope
            self.airborne = not self.crashed
        self.at = Point(self.at.east_m, self.at.north_m, ground)
        self._believe()

    def _rest(self, dt_s: float, power: float) -> None:
        self.velocity, self.push = (0.0, 0.0, 0.0), (0.0, 0.0)
        self.power_w = power
        self.air_m_s = 0.0
        if power:
            self.battery.drain(power, dt_s)


_IDLE_W = 40.0  # motors at their lowest turn
_FALL_M_S = 18.0
_NOWHERE = (0.0, 0.0, 0.0)
_ADRIFT = 0.3
_HOVERS = 0.5  # the share of the thrust to spare below which a drone cannot hold its height
_SINKS_M_S = 6.0
EARLY = 0.9  # the share of the acceleration that braking counts with
SWELLS_S = 0.5  # how long braking takes to take hold
JERK_MARGIN = 1.5  # along a straight leg two axes share the jerk, and braking begins a little late


def peak_m_s(length_m: float, accel_m_s2: float, jerk_m_s3: float) -> float:
    """Return the speed reached halfway by a drone that goes from rest to rest over a length.

    ArduCopter plans one leg ahead, so this is the fastest it ever flies along a
    leg, however the legs before and after lie: from rest to v takes
    v/2 · (v/a + a/J) metres, or v·√(v/J) where the full acceleration a is never
    reached (S-curve with jerk J).
    """
    half = length_m / 2.0
    if half <= accel_m_s2**3 / jerk_m_s3**2:
        return float((half * math.sqrt(jerk_m_s3)) ** (2.0 / 3.0))
    return _stopping_m_s(half, accel_m_s2, jerk_m_s3)


def corner_speed_m_s(before: Follow, after: Point, limits: Limits) -> float:
    """Return how fast the end of a leg may be passed when another leg to `after` follows.

    The two legs' S-curves overlap there: while one ends the other begins, each
    `s` metres from the corner at the middle of the turn, which cuts the corner by
    2·s·sin(turn/2) ≤ `corner_m`. Over its last s metres a leg is flown at
    J·t²/2 with s = J·t³/6, and the two speeds add up as vectors.
    """
    a = (before.end.east_m - before.start.east_m, before.end.north_m - before.start.north_m)
    b = (after.east_m - before.end.east_m, after.north_m - before.end.north_m)
    lengths = math.hypot(*a) * math.hypot(*b)
    if lengths < 1e-6:
        return 0.0
    cosine = max(-1.0, min(1.0, (a[0] * b[0] + a[1] * b[1]) / lengths))
    sine = math.sqrt((1.0 - cosine) / 2.0)  # of half the turn
    if sine < 1e-3:
        return math.inf
    from_corner = limits.corner_m / (2.0 * sine)
    return 2.0 * _ending_m_s(from_corner, limits) * math.sqrt((1.0 + cosine) / 2.0)


def _ending_m_s(left_m: float, limits: Limits) -> float:
    """Return the speed at which an S-curve flies `left_m` before its end."""
    accel, jerk = limits.accel_m_s2, limits.jerk_m_s3
    ebbing_s = math.cbrt(6.0 * left_m / jerk)
    if ebbing_s <= accel / jerk:
        return jerk * ebbing_s * ebbing_s / 2.0
    last_s = accel / jerk
    last_m, last_m_s = jerk * last_s**3 / 6.0, jerk * last_s**2 / 2.0
    return math.sqrt(last_m_s * last_m_s + 2.0 * accel * (left_m - last_m))


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


def _braking_m_s(left_m: float, brake_m_s2: float) -> float:
    """Return the speed from which one can still stop in the way left, softer over the last metre."""
    return min(math.sqrt(2.0 * brake_m_s2 * left_m), 1.2 * left_m + 0.05)


def _stopping_m_s(left_m: float, brake_m_s2: float, jerk_m_s3: float) -> float:
    """Return the speed that stops in the way left when braking swells and ebbs at the jerk.

    It solves v/2 · (v/a + a/J) = left.
    """
    swell = brake_m_s2 / jerk_m_s3
    speed = brake_m_s2 / 2.0 * (math.sqrt(swell * swell + 8.0 * left_m / brake_m_s2) - swell)
    return speed + 0.05


def _slowing_m_s(left_m: float, exit_m_s: float, brake_m_s2: float, jerk_m_s3: float) -> float:
    """Return the speed from which one is down to `exit_m_s` at the end of the way left."""
    swell = brake_m_s2 / jerk_m_s3
    past_m = exit_m_s / 2.0 * (exit_m_s / brake_m_s2 + swell)
    return _stopping_m_s(left_m + past_m, brake_m_s2, jerk_m_s3)
