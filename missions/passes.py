"""A task as it can be flown: its spots in order, from either end, with run-in and run-out.

A drone yaws to its track, and the track bends at a waypoint. The run-in lets
the heading settle before the first picture of a strip, the run-out keeps it
until the last is taken.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from missions import energy
from missions.airspace import Airspace, Spot, Way, spot
from missions.energy import Cost, UnflyableLeg
from missions.model import DroneModel, Look, Task, TaskKind, Wind

RUN_IN_M = 20.0


@dataclass(frozen=True, slots=True)
class Step:
    """A spot on the way, and the look taken there, if one is."""

    spot: Spot
    look: Look | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """One way of flying a task."""

    task: Task
    steps: tuple[Step, ...]

    @property
    def spots(self) -> Way:
        return tuple(step.spot for step in self.steps)

    @property
    def dwell_s(self) -> float:
        """How long it hovers to look."""
        return sum(step.look.dwell_s for step in self.steps if step.look)

    @property
    def back(self) -> "Pass":
        """The same from the other end."""
        return Pass(self.task, self.steps[::-1])


def passes(task: Task, airspace: Airspace) -> tuple[Pass, ...]:
    """Return the ways of flying a task: one for a point, two for a strip, none where it is closed in."""
    steps = [Step(spot(airspace.ground.frame, k.place, k.altitude.metres), k) for k in task.looks]
    if len(steps) == 1 or task.kind is TaskKind.POINT:
        return (Pass(task, tuple(steps)),)
    chain = [steps[0]]
    for here, there in pairwise(steps):
        way = airspace.way(here.spot, there.spot)
        if way is None:
            return ()
        chain += [*(Step(s) for s in way[1:-1]), there]
    before, after = _beyond(chain[1].spot, chain[0].spot), _beyond(chain[-2].spot, chain[-1].spot)
    if _is_clear(airspace, before, chain[0].spot):
        chain.insert(0, Step(before))
    if _is_clear(airspace, chain[-1].spot, after):
        chain.append(Step(after))
    forward = Pass(task, tuple(chain))
    return (forward, forward.back)


def cost(model: DroneModel, spots: Way, wind: Wind) -> Cost:
    """Return what flying along the spots takes, turns at the inner ones counted.

    Raises:
        UnflyableLeg: the wind along some leg is too strong.
    """
    return worst(model, spots, (wind,))


def worst(model: DroneModel, spots: Way, winds: Sequence[Wind]) -> Cost:
    """Return what flying along the spots takes at most, each leg in the worst of the winds for it.

    Raises:
        UnflyableLeg: some wind along some leg is too strong.
    """
    total, track = energy.NOTHING, None
    for a, b in pairwise(spots):
        run_m, toward = a.run_m(b), a.track_deg(b)
        total += _dearest([_leg(model, a, b, wind) for wind in winds])
        if run_m > 0:
            if track is not None:
                total += energy.turn(model, by_deg=toward - track)
            track = toward
    return total


def hovering(model: DroneModel, seconds: float) -> Cost:
    """Return what standing still in the air takes."""
    return Cost(seconds, seconds * model.hover_w / 3600)


def _leg(model: DroneModel, a: Spot, b: Spot, wind: Wind) -> Cost:
    """Return the cost of a leg in the wind at its middle height."""
    here = wind.at((a.altitude_m + b.altitude_m) / 2) if wind.aloft else wind
    if here.speed_m_s > model.max_wind_m_s:
        raise UnflyableLeg(
            f"wind of {here.speed_m_s:.0f} m/s is more than the {model.max_wind_m_s:g} m/s of {model.name}"
        )
    return energy.leg(
        model,
        run_m=a.run_m(b),
        rise_m=b.altitude_m - a.altitude_m,
        track_deg=a.track_deg(b),
        wind=here,
    )


def _dearest(costs: Sequence[Cost]) -> Cost:
    return Cost(max(c.time_s for c in costs), max(c.energy_wh for c in costs))


def first_deg(spots: Way) -> float:
    """Return the track of the first leg over the ground, NaN where there is none."""
    return next((a.track_deg(b) for a, b in pairwise(spots) if a.run_m(b) > 0), math.nan)


def last_deg(spots: Way) -> float:
    """Return the track of the last leg over the ground, NaN where there is none."""
    return next((b.track_deg(a) for a, b in pairwise(spots[::-1]) if a.run_m(b) > 0), math.nan)


def _beyond(a: Spot, b: Spot) -> Spot:
    """Return the spot a run-in further than b on the way from a, at b's height."""
    share = RUN_IN_M / max(a.run_m(b), 1e-6)
    return Spot(
        b.east_m + (b.east_m - a.east_m) * share, b.north_m + (b.north_m - a.north_m) * share, b.altitude_m
    )


def _is_clear(airspace: Airspace, a: Spot, b: Spot) -> bool:
    """Return whether the straight line between the spots can be flown as it is."""
    way = airspace.way(a, b)
    return way is not None and len(way) == 2
