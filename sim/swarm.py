"""Many drones moved at once: the law of `drone.py` over arrays, a row for each drone.

A drone alone is moved by `Multirotor.step`; from some two dozen in the air on, one pass
over arrays costs less than a call for each. Both are the same law, and a test
holds them to the same numbers. What is rare (on the ground, falling, struck by a fault,
steered by hand) keeps to `Multirotor.step`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from missions.geo import Floats
from sim import drone as law
from sim.battery import CELL_V, CELLS, CHARGE
from sim.drone import Follow, Goal, Hold, Multirotor, Point, Sink

FEWEST = 24  # below this many in the air, one by one is faster


@dataclass(frozen=True, slots=True)
class Step:
    """One drone's next step: how long, towards what, and in which wind."""

    drone: Multirotor
    dt_s: float
    goal: Goal
    wind: tuple[float, float]


class Swarm:
    """The drones of a simulation as a struct of arrays, kept from step to step.

    The rows stand for the drones that flew together last time; as long as the
    same ones fly on, only what pilots change (goals, wind, rates, the nose) is read
    from them again.
    """

    def __init__(self) -> None:
        self._rows: _Rows | None = None

    def advance(self, steps: Sequence[Step]) -> None:
        """Take every drone one step on."""
        together = [s for s in steps if _is_plain(s)]
        if len(together) < FEWEST:
            self._rows = None
            for step in steps:
                step.drone.step(step.dt_s, step.goal, step.wind)
            return
        if len(together) < len(steps):
            for step in steps:
                if not _is_plain(step):
                    step.drone.step(step.dt_s, step.goal, step.wind)
        drones = [s.drone for s in together]
        if self._rows is None or self._rows.drones != drones:
            self._rows = _Rows(drones)
        self._rows.advance(together)


def _is_plain(step: Step) -> bool:
    drone = step.drone
    return (
        drone.airborne
        and drone.is_sound
        and drone.battery.energy_wh > 0.0
        and isinstance(step.goal, Follow | Hold | Sink)
    )


class _Rows:
    """The arrays of drones that all fly."""

    def __init__(self, drones: list[Multirotor]) -> None:
        self.drones = drones
        self._limits = [d.limits for d in drones]
        self._hard = _columns(self._limits, ("accel_m_s2", "jerk_m_s3", "accel_up_m_s2"))
        self._models = _columns([d.model for d in drones], ("cruise_m_s", "max_wind_m_s", *_POWERS))
        self._capacity = np.array([d.battery.capacity_wh for d in drones])
        self._at = np.array([d.at for d in drones])
        self._velocity = np.array([d.velocity for d in drones])
        self._push = np.array([d.push for d in drones])
        self._mean = np.array([d.mean_wind for d in drones])
        self._heading = np.array([d.heading_deg for d in drones])

    def advance(self, steps: Sequence[Step]) -> None:
        """Move all of them, as `Multirotor.step` moves one."""
        drones, models = self.drones, self._models
        limits = [d.limits for d in drones]
        if limits != self._limits:
            self._limits = limits
            self._hard = _columns(limits, ("accel_m_s2", "jerk_m_s3", "accel_up_m_s2"))
        hard, velocity = self._hard, self._velocity
        dt = np.array([s.dt_s for s in steps])
        wind = np.array([s.wind for s in steps])
        rates = np.array([(d.climb_m_s, d.descent_m_s) for d in drones])
        wanted = _wanted(steps, self._at, velocity, rates, hard, models["cruise_m_s"])
        wanted[:, :2] = _possible(wanted[:, :2], wind, models)
        self._push = _push(wanted[:, :2] - velocity[:, :2], self._push, dt, hard)
        lift = hard["accel_up_m_s2"] * dt
        rise = np.clip(wanted[:, 2] - velocity[:, 2], -lift, lift)
        fresh = np.column_stack([velocity[:, :2] + self._push * dt[:, None], velocity[:, 2] + rise])
        self._velocity = fresh
        self._mean = self._mean + (wind - self._mean) * np.minimum(1.0, dt / law.STEADY_S)[:, None]
        self._at = self._at + fresh * dt[:, None]
        self._at[:, :2] += law.GUST_LEAK * (wind - self._mean) * dt[:, None]
        air = np.hypot(fresh[:, 0] - wind[:, 0], fresh[:, 1] - wind[:, 1])
        power = _power_w(models, air, fresh[:, 2])
        energy = np.array([d.battery.energy_wh for d in drones])
        energy = np.maximum(0.0, energy - power * dt / 3600.0)
        current = power / (CELLS * np.interp(energy / self._capacity, CHARGE, CELL_V))
        self._heading = _turned(drones, self._heading, dt)
        self._hand_out(wanted[:, 2], (air, power, energy, current, self._heading))

    def _hand_out(self, wanted_up: Floats, rest: tuple[Floats, ...]) -> None:
        """Give every drone its row; one that meets the ground is read afresh."""
        at, velocity = self._at.tolist(), self._velocity.tolist()
        push, mean = self._push.tolist(), self._mean.tolist()
        others = zip(wanted_up.tolist(), *(column.tolist() for column in rest), strict=True)
        rows = zip(self.drones, at, velocity, push, mean, others, strict=True)
        for index, (drone, at_, velocity_, push_, mean_, other) in enumerate(rows):
            up, drone.air_m_s, drone.power_w, energy_wh, current_a, drone.heading_deg = other
            drone.at = drone.believed = point = Point(*at_)
            drone.velocity, drone.push, drone.mean_wind = tuple(velocity_), tuple(push_), tuple(mean_)
            drone.battery.energy_wh, drone.battery.current_a = energy_wh, current_a
            drone.meet_ground((0.0, 0.0, up))
            if drone.at is not point:
                self._at[index], self._velocity[index] = drone.at, drone.velocity
                self._push[index] = drone.push


_POWERS = ("hover_w", "climb_w", "cruise_w", "descent_w", "climb_m_s", "descent_m_s")


def _columns(things: Sequence[object], names: Sequence[str]) -> dict[str, Floats]:
    return {name: np.array([getattr(t, name) for t in things]) for name in names}


def _wanted(
    steps: Sequence[Step],
    at: Floats,
    velocity: Floats,
    rates: Floats,
    limits: dict[str, Floats],
    cruise: Floats,
) -> Floats:
    """Return the velocities the goals ask for, before wind and limits."""
    goals = [s.goal for s in steps]
    legs = np.array([type(g) is Follow for g in goals])
    if legs.all():
        return _along_or_at(goals, at, velocity, rates, limits, cruise)
    ends = np.array([_end(goal) for goal in goals])
    towards = _towards(at, ends, rates, limits, cruise)
    sinking = np.array([goal.rate_m_s if isinstance(goal, Sink) else np.nan for goal in goals])
    towards[:, 2] = np.where(np.isnan(sinking), towards[:, 2], -sinking)
    if legs.any():
        some = {name: column[legs] for name, column in limits.items()}
        follows = [g for g in goals if type(g) is Follow]
        towards[legs] = _along_or_at(follows, at[legs], velocity[legs], rates[legs], some, cruise[legs])
    return towards


def _along_or_at(
    legs: Sequence[Any],
    at: Floats,
    velocity: Floats,
    rates: Floats,
    limits: dict[str, Floats],
    cruise: Floats,
) -> Floats:
    """Return the velocities along legs; a leg without a length is a point to go to."""
    start, end = np.array([leg.start for leg in legs]), np.array([leg.end for leg in legs])
    length = np.sqrt(((end - start) ** 2).sum(axis=1))
    wanted = _along(legs, start, end, np.maximum(length, law.NO_LENGTH_M), at, velocity, rates, limits)
    points = length < law.NO_LENGTH_M
    if points.any():
        wanted[points] = _towards(at, end, rates, limits, cruise)[points]
    return wanted


def _end(goal: Goal) -> Point:
    match goal:
        case Follow():
            return goal.end
        case Sink():
            return goal.over
        case Hold():
            return goal.at
    raise AssertionError("only plain goals come here")


def _towards(at: Floats, end: Floats, rates: Floats, limits: dict[str, Floats], cruise: Floats) -> Floats:
    gap = end - at
    away = np.hypot(gap[:, 0], gap[:, 1])
    fast = np.minimum(_stopping(away, limits["accel_m_s2"] * law.EARLY, limits["jerk_m_s3"]), cruise)
    scale = np.where(away > 1e-6, np.minimum(1.0, fast / np.maximum(away, 1e-6)), 0.0)
    up = np.abs(gap[:, 2])
    rise = np.copysign(np.minimum(up, _braking(up, limits["accel_up_m_s2"])), gap[:, 2])
    level = gap[:, :2] * scale[:, None]
    return np.column_stack([level, np.clip(rise, -rates[:, 1], rates[:, 0])])


def _along(
    legs: Sequence[Any],
    start: Floats,
    end: Floats,
    length: Floats,
    at: Floats,
    velocity: Floats,
    rates: Floats,
    limits: dict[str, Floats],
) -> Floats:
    unit = (end - start) / length[:, None]
    done = ((at - start) * unit).sum(axis=1)
    level_share, rise = np.hypot(unit[:, 0], unit[:, 1]), unit[:, 2]
    left = np.maximum(0.0, length - done - np.hypot(velocity[:, 0], velocity[:, 1]) * law.SWELLS_S)
    speed = _leg_speed(legs, length, level_share, rise, left, rates, limits)
    off = start + unit * done[:, None] - at
    wanted = unit * speed[:, None] + off * law.CROSS_GAIN
    wanted[:, 2] = np.clip(wanted[:, 2], -rates[:, 1], rates[:, 0])
    return np.asarray(wanted)


def _leg_speed(
    legs: Sequence[Any],
    length: Floats,
    level_share: Floats,
    rise: Floats,
    left: Floats,
    rates: Floats,
    limits: dict[str, Floats],
) -> Floats:
    accel, jerk = limits["accel_m_s2"], limits["jerk_m_s3"]
    level, steep = level_share > law.UPRIGHT, np.abs(rise) > law.UPRIGHT
    share, slope = np.where(level, level_share, 1.0), np.where(steep, np.abs(rise), 1.0)
    asked = np.array([leg.speed_m_s for leg in legs])
    speed = np.where(level, asked / share, np.inf)
    brake = np.where(level, accel / share, np.inf)
    speed = np.minimum(speed, np.where(steep, np.where(rise > 0, rates[:, 0], rates[:, 1]) / slope, np.inf))
    brake = np.minimum(brake, np.where(steep, limits["accel_up_m_s2"] / slope, np.inf))
    speed = np.where(np.isfinite(speed), speed, 0.0)  # a leg without a length is not flown along
    brake = np.where(np.isfinite(brake), brake, 1.0)
    speed = np.where(level, np.minimum(speed, _peak(length, brake, jerk)), speed)
    leaving = np.minimum(np.array([leg.exit_m_s for leg in legs]), speed)
    stops = np.where(level, _stopping(left, brake * law.EARLY, jerk), _braking(left, brake))
    slows = _slowing(left, leaving, brake * law.EARLY, jerk)
    return np.minimum(speed, np.where(leaving < 0.1, stops, slows))


def _possible(wanted: Floats, wind: Floats, models: dict[str, Floats]) -> Floats:
    """Return what of the wanted velocities the wind leaves."""
    top = models["cruise_m_s"] + models["max_wind_m_s"]
    through_air = wanted - wind
    air = np.hypot(through_air[:, 0], through_air[:, 1])
    held = wind + through_air * (top / np.maximum(air, 1e-9))[:, None]
    return np.where((air > top)[:, None], held, wanted)


def _push(gap: Floats, push: Floats, dt: Floats, limits: dict[str, Floats]) -> Floats:
    size = np.hypot(gap[:, 0], gap[:, 1])
    jerk = limits["jerk_m_s3"] * law.JERK_MARGIN
    hard = np.minimum(np.minimum(limits["accel_m_s2"], np.sqrt(2.0 * jerk * size)), size / dt)
    change = gap * (hard / np.maximum(size, 1e-9))[:, None] - push
    by = np.hypot(change[:, 0], change[:, 1])
    scale = np.where(by > 0, np.minimum(1.0, jerk * dt / np.where(by > 0, by, 1.0)), 0.0)
    scale = np.where((change * push).sum(axis=1) < 0, 1.0, scale)
    return np.where((size < 1e-9)[:, None], 0.0, push + change * scale[:, None])


def _power_w(models: dict[str, Floats], air: Floats, up: Floats) -> Floats:
    m = models
    ratio = air / m["cruise_m_s"]
    slow = m["hover_w"] + (m["cruise_w"] - m["hover_w"]) * ratio
    flat = np.where(ratio <= 1.0, slow, m["cruise_w"] * (1.0 + (ratio**3 - 1.0) / 3.0))
    climbing = flat + (m["climb_w"] - m["hover_w"]) * up / m["climb_m_s"]
    sinking = flat + (m["descent_w"] - m["hover_w"]) * np.minimum(1.0, -up / m["descent_m_s"])
    return np.where(up >= 0, climbing, sinking)


def _turned(drones: Sequence[Multirotor], heading: Floats, dt: Floats) -> Floats:
    face = np.array([np.nan if d.face_deg is None else d.face_deg for d in drones])
    error = (face - heading + 180.0) % 360.0 - 180.0
    turned = (heading + np.clip(error, -law.TURN_DEG_S * dt, law.TURN_DEG_S * dt)) % 360.0
    return np.where(np.isnan(face), heading, turned)


def _stopping(left: Floats, brake: Floats, jerk: Floats) -> Floats:
    swell = brake / jerk
    return np.asarray(brake / 2.0 * (np.sqrt(swell * swell + 8.0 * left / brake) - swell) + 0.05)


def _slowing(left: Floats, leaving: Floats, brake: Floats, jerk: Floats) -> Floats:
    return _stopping(left + leaving / 2.0 * (leaving / brake + brake / jerk), brake, jerk)


def _braking(left: Floats, brake: Floats) -> Floats:
    return np.minimum(np.sqrt(2.0 * brake * left), 1.2 * left + 0.05)


def _peak(length: Floats, brake: Floats, jerk: Floats) -> Floats:
    half = length / 2.0
    short = (half * np.sqrt(jerk)) ** (2.0 / 3.0)
    return np.where(half <= brake**3 / jerk**2, short, _stopping(half, brake, jerk))
