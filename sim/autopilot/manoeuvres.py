"""Pieces of flying: each turns "where the drone is" into the next goal until it is done.

Modes and mission items are made of these. A manoeuvre may look at the drone and
its tuning, and changes nothing but itself.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sim.autopilot.tuning import Tuning
from sim.drone import Follow, Goal, Hold, Move, Multirotor, Point, Sink

_ARRIVED_M = 0.5
_NO_TURN = 2.0  # metres under which a leg has no direction worth facing
_LOOK_AHEAD_M = 8.0  # over which the slope below a terrain leg is taken

Ground = Callable[[float, float], float]  # metres east and north -> height of the ground above the pad


@dataclass(slots=True)
class Helm:
    """What a manoeuvre sees: the drone, its tuning, home, and the speed wanted."""

    drone: Multirotor
    tuning: Tuning
    home: Point
    speed_m_s: float


class Manoeuvre(Protocol):
    """One piece of flying."""

    done: bool

    def goal(self, helm: Helm, now_s: float) -> Goal:
        """Return the goal for the next step, and notice when the piece is over."""
        ...


class TakeOff:
    """Climb straight up to a height above the pad."""

    def __init__(self, helm: Helm, up_m: float) -> None:
        at = helm.drone.believed
        self.done = False
        self._leg = Follow(at, Point(at.east_m, at.north_m, max(at.up_m, up_m)), helm.speed_m_s)

    def goal(self, helm: Helm, now_s: float) -> Goal:
        self.done = self.done or helm.drone.remaining_m(self._leg) < _ARRIVED_M
        return self._leg


class Travel:
    """Fly a straight leg; with an exit speed the end is passed, not stopped at.

    `wait_s` is the time to hover at the end before it counts as done.
    """

    def __init__(
        self,
        helm: Helm,
        end: Point,
        *,
        start: Point | None = None,
        exit_m_s: float = 0.0,
        wait_s: float = 0.0,
    ) -> None:
        self.done = False
        self.leg = Follow(start or stopping_point(helm.drone), end, helm.speed_m_s, exit_m_s)
        self._wait_s = wait_s
        self._there_s: float | None = None

    @property
    def arrived(self) -> bool:
        """Whether the end was reached, though it may still be waiting there."""
        return self._there_s is not None

    def goal(self, helm: Helm, now_s: float) -> Goal:
        face_along(helm, self.leg)
        passing = self.leg.exit_m_s > 0.1
        close = helm.drone.ground_speed_m_s * 0.05 if passing else _ARRIVED_M
        if self._there_s is None and helm.drone.remaining_m(self.leg) <= close:
            self._there_s = now_s
        if self._there_s is not None and now_s - self._there_s >= self._wait_s:
            self.done = True
        self._keep_speed(helm)
        return self.leg

    def _keep_speed(self, helm: Helm) -> None:
        if self.leg.speed_m_s != helm.speed_m_s:
            exit_m_s = min(self.leg.exit_m_s, helm.speed_m_s)
            self.leg = Follow(self.leg.start, self.leg.end, helm.speed_m_s, exit_m_s)


class TravelOverGround(Travel):
    """Fly a leg whose ends are heights above the ground, and keep that height along it."""

    def __init__(
        self,
        helm: Helm,
        end: Point,
        ground_m: Ground,
        *,
        start: Point | None = None,
        exit_m_s: float = 0.0,
        wait_s: float = 0.0,
    ) -> None:
        super().__init__(helm, end, start=start, exit_m_s=exit_m_s, wait_s=wait_s)
        self._ground_m = ground_m
        self._flat = self.leg
        self._above = (self._above_m(self.leg.start), self._above_m(end))

    def goal(self, helm: Helm, now_s: float) -> Goal:
        self.leg = self._bent(helm)
        return super().goal(helm, now_s)

    def _above_m(self, point: Point) -> float:
        return point.up_m - self._ground_m(point.east_m, point.north_m)

    def _bent(self, helm: Helm) -> Follow:
        """Return the leg as a plane line that has the ground's slope where the drone is."""
        start, end = self._flat.start, self._flat.end
        length = math.hypot(end.east_m - start.east_m, end.north_m - start.north_m)
        if length < _NO_TURN:
            return self._flat
        unit = ((end.east_m - start.east_m) / length, (end.north_m - start.north_m) / length)
        at = helm.drone.believed
        done = (at.east_m - start.east_m) * unit[0] + (at.north_m - start.north_m) * unit[1]
        done = max(0.0, min(length, done))
        ahead = min(length, done + _LOOK_AHEAD_M)
        here, there = self._height_m(done, length, unit), self._height_m(ahead, length, unit)
        slope = (there - here) / (ahead - done) if ahead - done > 0.1 else 0.0
        return Follow(
            start._replace(up_m=here - slope * done),
            end._replace(up_m=here + slope * (length - done)),
            self.leg.speed_m_s,
            self.leg.exit_m_s,
        )

    def _height_m(self, along_m: float, length_m: float, unit: tuple[float, float]) -> float:
        start, (first, last) = self._flat.start, self._above
        east, north = start.east_m + unit[0] * along_m, start.north_m + unit[1] * along_m
        return self._ground_m(east, north) + first + (last - first) * along_m / length_m


class Stay:
    """Hover where the drone can stop, for a time or for ever."""

    def __init__(self, helm: Helm, for_s: float = math.inf, at: Point | None = None) -> None:
        self.done = False
        self.at = at or stopping_point(helm.drone)
        self._for_s = for_s
        self._since_s: float | None = None

    def goal(self, helm: Helm, now_s: float) -> Goal:
        self._since_s = now_s if self._since_s is None else self._since_s
        self.done = now_s - self._since_s >= self._for_s
        return Hold(self.at)


class Steer:
    """Keep a velocity as long as somebody goes on asking for it (3 s, as GUID_TIMEOUT has it)."""

    TIMEOUT_S = 3.0

    def __init__(self, velocity: tuple[float, float, float], now_s: float) -> None:
        self.done = False
        self._velocity = velocity
        self._asked_s = now_s

    def goal(self, helm: Helm, now_s: float) -> Goal:
        if now_s - self._asked_s > self.TIMEOUT_S:
            return Move(0.0, 0.0, 0.0)
        return Move(*self._velocity)


class Landing:
    """Go down over one point: fast first, slowly over the last metres."""

    def __init__(self, helm: Helm, over: Point | None = None) -> None:
        self.done = False
        self._over = over or stopping_point(helm.drone)

    def goal(self, helm: Helm, now_s: float) -> Goal:
        self.done = not helm.drone.airborne
        tuning = helm.tuning
        above_low_m = helm.drone.above_ground_m - tuning.land_low_m
        return Sink(self._over, _landing_rate(above_low_m, tuning.land_fast_m_s, tuning.land_slow_m_s))


class Sinking:
    """What a pilot's mode does without a radio: the stick stands low and the drone goes down."""

    def __init__(self, helm: Helm, rate_m_s: float) -> None:
        self.done = False
        self._over = stopping_point(helm.drone)
        self._rate_m_s = rate_m_s

    def goal(self, helm: Helm, now_s: float) -> Goal:
        self.done = not helm.drone.airborne
        return Sink(self._over, self._rate_m_s)


@dataclass(frozen=True, slots=True)
class WayHome:
    """How a drone comes home: where to, how high, how fast, and what it does there."""

    to: Point
    up_m: float  # the height of the way
    speed_m_s: float
    wait_s: float
    hover_up_m: float | None = None  # the height to stay at; None lands


class Return:
    """Climb to the height of the way home, fly there, wait, land or stay."""

    def __init__(self, helm: Helm, way: WayHome) -> None:
        self.done = False
        self._speed_m_s = way.speed_m_s
        start = stopping_point(helm.drone)
        above_start = start._replace(up_m=way.up_m)
        above_end = way.to._replace(up_m=way.up_m)
        fast = self._fast(helm)
        self._steps: list[Manoeuvre] = [
            Travel(fast, above_start, start=start),
            Travel(fast, above_end, start=above_start),
            Stay(fast, way.wait_s, above_end),
        ]
        if way.hover_up_m is None:
            self._steps.append(Landing(fast, above_end))
        else:
            low = above_end._replace(up_m=way.hover_up_m)
            self._steps += [Travel(fast, low, start=above_end), Stay(fast, math.inf, low)]

    def goal(self, helm: Helm, now_s: float) -> Goal:
        fast = self._fast(helm)
        goal = self._steps[0].goal(fast, now_s)
        while self._steps[0].done and len(self._steps) > 1:
            self._steps.pop(0)
            goal = self._steps[0].goal(fast, now_s)
        self.done = len(self._steps) == 1 and self._steps[0].done
        return goal

    def _fast(self, helm: Helm) -> Helm:
        return Helm(helm.drone, helm.tuning, helm.home, self._speed_m_s)


class Then:
    """One manoeuvre, then another."""

    def __init__(self, first: Manoeuvre, second: Manoeuvre) -> None:
        self.done = False
        self._first = first
        self._second = second

    def goal(self, helm: Helm, now_s: float) -> Goal:
        if not self._first.done:
            return self._first.goal(helm, now_s)
        goal = self._second.goal(helm, now_s)
        self.done = self._second.done
        return goal


def stopping_point(drone: Multirotor) -> Point:
    """Return where the drone comes to a stop when it brakes now."""
    east, north, _ = drone.velocity
    speed, limits = math.hypot(east, north), drone.limits
    ahead = 0.5 * (speed / limits.accel_m_s2 + limits.accel_m_s2 / limits.jerk_m_s3) if speed > 0.1 else 0.0
    at = drone.believed
    return Point(at.east_m + east * ahead, at.north_m + north * ahead, at.up_m)


def face_along(helm: Helm, leg: Follow) -> None:
    """Turn the drone's nose along a leg, unless the tuning forbids or the leg stands upright."""
    if not helm.tuning.nose_first:
        return
    east, north = leg.end.east_m - leg.start.east_m, leg.end.north_m - leg.start.north_m
    if math.hypot(east, north) >= _NO_TURN:
        helm.drone.face_deg = math.degrees(math.atan2(east, north)) % 360.0


def _landing_rate(above_low_m: float, fast_m_s: float, slow_m_s: float) -> float:
    """Return the rate of descent that has come down to slow where the last metres begin."""
    if above_low_m <= 0:
        return slow_m_s
    return max(slow_m_s, min(fast_m_s, math.sqrt(slow_m_s**2 + 2.0 * above_low_m)))
