"""Animals that graze: where they stand at a time, and how warm a thermal camera reads them.

What a camera reads of a coat is its outer side, 4 to 13 K over the air: chosen, not measured. A herd stays
where it is; each of its animals walks round a place of its own, at most 0.3 m/s. Herds have a random stream
of their own, so a seed's fires, decoys, floods and fellings are those that it would have without them.
"""

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from shapely import contains_xy, prepare
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from missions.geo import Floats
from sim.landscape import Landscape
from sim.relief import Relief

KINDS = {"deer": (1.25, 0.45), "boar": (1.1, 0.45), "cow": (2.2, 0.75)}
"""How long and how wide, metres."""

HERDS, MEMBERS = 2, (2, 5)
APART_M, SPREAD_M, ROUND_M, PERIOD_S = 60.0, 9.0, (2.0, 6.0), (150.0, 600.0)
STREAM = 83
TRIES = 4000


@dataclass(frozen=True, slots=True)
class Animal:
    """One animal: the place it walks round, how far off and in what time, its size and its coat."""

    id: str
    kind: str
    middle_m: tuple[float, float]
    radius_m: float
    period_s: float
    phase: float
    over_air_k: float

    @property
    def speed_m_s(self) -> float:
        """How fast it walks."""
        return 2 * math.pi * self.radius_m / self.period_s

    def at(self, now: datetime, relief: Relief) -> "Standing":
        """Return it as it stands at a time, its head in its way."""
        turn = self.phase + 2 * math.pi * (now.timestamp() % self.period_s) / self.period_s
        east = self.middle_m[0] + self.radius_m * math.sin(turn)
        north = self.middle_m[1] + self.radius_m * math.cos(turn)
        return Standing(self, east, north, relief.at(east, north), (math.degrees(turn) + 90.0) % 360.0)


@dataclass(frozen=True, slots=True)
class Standing:
    """An animal at one moment."""

    animal: Animal
    east_m: float
    north_m: float
    ground_m: float
    heading_deg: float

    @property
    def reach_m(self) -> float:
        """How far its coat reaches from its middle."""
        return 0.6 * KINDS[self.animal.kind][0]

    def coat_c(self, x_m: Floats, y_m: Floats, *, air_c: float) -> Floats:
        """Return its coat's apparent temperature, metres along and across it, NaN where it is not."""
        length, width = KINDS[self.animal.kind]
        inside = np.hypot(x_m / (length / 2), y_m / (width / 2)) < 1
        return np.where(inside, air_c + self.animal.over_air_k, np.nan)


def graze(
    seed: int, ground: BaseGeometry, landscape: Landscape, taken: list[tuple[float, float]]
) -> tuple[Animal, ...]:
    """Return the herds on watched ground under open sky, all well away from places that are taken."""
    rng = np.random.default_rng([seed, STREAM])
    yards = unary_union([Point(h.east_m, h.north_m).buffer(20.0) for h in landscape.houses])
    roads = unary_union([r.line.buffer(r.half_width_m + 10.0) for r in landscape.roads])
    blocked = unary_union([*landscape.compartments, landscape.water.buffer(8.0), yards, roads])
    meadow = ground.buffer(-15.0).difference(blocked)
    if meadow.is_empty:
        return ()
    prepare(meadow)
    found: list[Animal] = []
    taken = list(taken)
    for herd in range(HERDS):
        spot = _spot(meadow, taken, rng)
        if spot is None:
            break
        taken.append(spot)
        found += _herd(f"A{herd + 1}", spot, rng)
    return tuple(found)


def _spot(
    zone: BaseGeometry, taken: list[tuple[float, float]], rng: np.random.Generator
) -> tuple[float, float] | None:
    west, south, east, north = zone.bounds
    for _ in range(TRIES):
        x, y = rng.uniform(west, east), rng.uniform(south, north)
        if contains_xy(zone, x, y) and all(math.hypot(x - e, y - n) > APART_M for e, n in taken):
            return x, y
    return None


def _herd(name: str, spot: tuple[float, float], rng: np.random.Generator) -> list[Animal]:
    """Return animals of one kind, about as warm as each other."""
    kind, warm = str(rng.choice(sorted(KINDS))), float(rng.uniform(5.0, 12.0))
    return [
        Animal(
            id=f"{name}-{number + 1}",
            kind=kind,
            middle_m=(spot[0] + float(rng.normal(0, SPREAD_M)), spot[1] + float(rng.normal(0, SPREAD_M))),
            radius_m=float(rng.uniform(*ROUND_M)),
            period_s=float(rng.uniform(*PERIOD_S)),
            phase=float(rng.uniform(0, 2 * math.pi)),
            over_air_k=warm + float(rng.uniform(-1.0, 1.0)),
        )
        for number in range(int(rng.integers(MEMBERS[0], MEMBERS[1] + 1)))
    ]
