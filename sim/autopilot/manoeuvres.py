"""Pieces of flying: each turns "where the drone is" into the next goal until it is done.

Modes and mission items are made of these. A manoeuvre may look at the drone and
the parameters, and changes nothing but itself.
"""

import math
from dataclasses import dataclass
from typing import Protocol

from sim.autopilot.parameters import Parameters
from sim.drone import Follow, Goal, Hold, Move, Multirotor, Point, Sink

_ARRIVED_M = 0.5
_NO_TURN = 2.0  # metres under which a leg has no direction worth facing


@dataclass(slots=True)
class Helm:
    """What a manoeuvre sees: the drone, the parameters, home, and the speed wanted."""

    drone: Multirotor
    params: Parameters
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
    """Go down over one point: fast first, at LAND_SPEED over the last LAND_ALT_LOW."""

    def __init__(self, helm: Helm, over: Point | None = None) -> None:
        self.done = False
        self._over = over or stopping_point(helm.drone)

    def goal(self, helm: Helm, now_s: float) -> Goal:
        self.done = not helm.drone.airborne
        fast = helm.params["LAND_SPEED_HIGH"] / 100.0 or helm.drone.descent_m_s
        slow = helm.params["LAND_SPEED"] / 100.0
        low = helm.params["LAND_ALT_LOW"] / 100.0
        return Sink(self._over, _landing_rate(helm.drone.above_ground_m - low, fast, slow))


class Sinking:
    """What a pilot's mode does without a radio: the stick stands low and the drone goes down."""

    def __init__(self, helm: Helm, rate_m_s: float) -> None:
        self.done = False
        self._over = stopping_point(helm.drone)
        self._rate_m_s = rate_m_s

    def goal(self, helm: Helm, now_s: float) -> Goal:
        self.done = not helm.drone.airborne
        return Sink(self._over, self._rate_m_s)


class Return:
    """RTL: climb to RTL_ALT, fly to the end point, wait RTL_LOIT_TIME, land."""

    def __init__(self, helm: Helm, to: Point | None = None) -> None:
        self.done = False
        end = to or helm.home
        start = stopping_point(helm.drone)
        height = self._height(helm, start, end)
        speed = helm.params["RTL_SPEED"] / 100.0
        self._speed_m_s = speed or helm.speed_m_s
        above_start = Point(start.east_m, start.north_m, height)
        above_end = Point(end.east_m, end.north_m, height)
        wait_s = helm.params["RTL_LOIT_TIME"] / 1000.0
        fast = Helm(helm.drone, helm.params, helm.home, self._speed_m_s)
        self._steps: list[Manoeuvre] = [
            Travel(fast, above_start, start=Point(start.east_m, start.north_m, helm.drone.believed.up_m)),
            Travel(fast, above_end, start=above_start),
            Stay(fast, wait_s, above_end),
            Landing(fast, above_end),
        ]

    def goal(self, helm: Helm, now_s: float) -> Goal:
        fast = Helm(helm.drone, helm.params, helm.home, self._speed_m_s)
        goal = self._steps[0].goal(fast, now_s)
        while self._steps[0].done and len(self._steps) > 1:
            self._steps.pop(0)
            goal = self._steps[0].goal(fast, now_s)
        self.done = len(self._steps) == 1 and self._steps[0].done
        return goal

    @staticmethod
    def _height(helm: Helm, start: Point, end: Point) -> float:
        """Return the height to come home at: RTL_ALT above home, lower only inside the cone."""
        up = start.up_m - helm.home.up_m
        wanted = max(helm.params["RTL_ALT"] / 100.0, up + helm.params["RTL_CLIMB_MIN"] / 100.0)
        slope = helm.params["RTL_CONE_SLOPE"]
        if slope >= 0.5:
            away = math.hypot(end.east_m - start.east_m, end.north_m - start.north_m)
            wanted = min(wanted, max(2.0, away * slope))
        return helm.home.up_m + max(up, wanted)


def stopping_point(drone: Multirotor) -> Point:
    """Return where the drone comes to a stop when it brakes now."""
    east, north, _ = drone.velocity
    speed, limits = math.hypot(east, north), drone.limits
    ahead = 0.5 * (speed / limits.accel_m_s2 + limits.accel_m_s2 / limits.jerk_m_s3) if speed > 0.1 else 0.0
    at = drone.believed
    return Point(at.east_m + east * ahead, at.north_m + north * ahead, at.up_m)


def face_along(helm: Helm, leg: Follow) -> None:
    """Turn the drone's nose along a leg, unless WP_YAW_BEHAVIOR forbids or the leg stands upright."""
    if helm.params["WP_YAW_BEHAVIOR"] == 0:
        return
    east, north = leg.end.east_m - leg.start.east_m, leg.end.north_m - leg.start.north_m
    if math.hypot(east, north) >= _NO_TURN:
        helm.drone.face_deg = math.degrees(math.atan2(east, north)) % 360.0


def _landing_rate(above_low_m: float, fast_m_s: float, slow_m_s: float) -> float:
    """Return the rate of descent that has come down to slow where the last metres begin."""
    if above_low_m <= 0:
        return slow_m_s
    return max(slow_m_s, min(fast_m_s, math.sqrt(slow_m_s**2 + 2.0 * above_low_m)))
