"""How many bodies there were: sightings of a flight counted once each, with the interval that they allow.

*Counted once.* One picture shows a body once, and what two pictures show is one body when their places fit.
All places of a picture are off together by the error of its pose, so each picture is first shifted, within
its ellipses, to where most of its sightings meet bodies known by then, and only what then lies within
`OWN_M` and the way that it may have gone meanwhile is the same body, each one once (the best way round).

*The interval.* Bodies that were there, N, are found each with probability p and thinned so to n, and false
ones come on top:

    n = Binomial(N, p · s) + false,   p ~ Beta(hits + ½, misses + ½),   false ~ Poisson(Gamma)

with hits, misses and false alarms as measured on pictures held out (`RATES`), s the share of the area that
was seen, and the false ones by how many pictures' worth of ground that was. The binomial with unknown N and
its flat prior is Raftery's (1988, Biometrika 75, 223); the counts of a survey divided by the probability of
seeing are those of distance sampling (Buckland et al. 2015). Of a body in k pictures the chance to be found
at all is 1 - (1 - r)^k if looks are independent and r if they are one look: how far they are is not known
and taken to be anything between, evenly. The answer is the median and the middle 90 % of N.

Bodies that nothing showed (under crowns, in burrows) are not in N: it is what could be seen from above.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely
from scipy.optimize import linear_sum_assignment
from scipy.special import betaincinv, gammaln, xlog1py, xlogy
from shapely.geometry import MultiPoint, Polygon
from shapely.geometry.base import BaseGeometry

from missions.geo import Area, Floats, LatLon
from missions.model import Demand, Hazard
from missions.searching import chance_inside
from vision.model import Observation
from vision.spots import WANDER_M_S
from vision.tangent import Scale

if TYPE_CHECKING:
    from vision.inspection import FrameResult

OWN_M, FARTHEST_M = 1.5, 15.0
"""How far places of one body differ once a picture's own shift is taken off; the largest shift."""

LEVEL = 0.90
EVERYTHING = "all that was looked at"
LEAST_SHARE = 0.05
"""Of an area of which less was seen nothing is reckoned."""

_ORDERS, _DEPENDENCE = 12, (0.1, 0.3, 0.5, 0.7, 0.9)
_CELLS = 4000
_MOST = 4000


@dataclass(frozen=True, slots=True)
class Rates:
    """What one look of a detector was measured to find and to invent, and on what."""

    found: int
    there: int
    false: int
    pictures: int
    source: str

    @property
    def recall(self) -> float:
        return (self.found + 0.5) / (self.there + 1.0)


RATES = {
    Hazard.PERSON: Rates(118, 164, 63, 35, "35 pictures of HIT-UAV held out (vision/models/warm.md)"),
    Hazard.WILDLIFE: Rates(
        120, 142, 71, 252, "synthetic: `python -m sim.sights bodies`, seeds 201-240, ground below 28 °C"
    ),
}
"""By hazard; a false body may be seen in several pictures and is then told once."""


@dataclass(frozen=True, slots=True)
class Body:
    """One body: where (mean of its looks), and the observations that are its own."""

    place: LatLon
    looks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Covered:
    """What was seen of an area: square metres of it and of one picture, and looks by their share of cells.

    `looks` gives for each number of looks, from none on, the share of the area that had so many.
    """

    area_m2: float
    picture_m2: float
    looks: tuple[float, ...]

    @property
    def share(self) -> float:
        """The share that was seen at all."""
        return 1.0 - self.looks[0]

    def found_with(self, recall: float, dependence: float) -> float:
        """Return the chance to find a body of the part that was seen, by the recall of one look."""
        times = np.arange(len(self.looks))
        apart = 1.0 - (1.0 - recall) ** times
        chance = dependence * recall * (times > 0) + (1.0 - dependence) * apart
        return float(np.dot(chance, self.looks) / self.share) if self.share > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Count:
    """How many bodies of a hazard an area had; `area` is a demand's id, or "" for all that was looked at.

    `low` to `high` is 90 %, None where too little was seen. `probability` is the chance that one body
    anywhere in the area was found, low, middle and high; `inside` the chance that what is searched for is in
    the area, None where the demand does not tell.
    """

    hazard: Hazard
    area: str
    covered: Covered
    bodies: tuple[Body, ...]
    low: int | None
    middle: int | None
    high: int | None
    probability: tuple[float, float, float]
    rates: Rates
    inside: float | None = None

    @property
    def per_km2(self) -> tuple[float, float, float] | None:
        """Bodies a square kilometre, low, middle, high."""
        if self.low is None or self.middle is None or self.high is None:
            return None
        km2 = self.covered.area_m2 / 1e6
        return self.low / km2, self.middle / km2, self.high / km2


@dataclass(slots=True)
class _Known:
    """A body while it is gathered: its places in metres, when it was last seen, its observations."""

    at: list[tuple[float, float]]
    seen_at: datetime
    looks: list[str]

    @property
    def place_m(self) -> Floats:
        return np.asarray(np.mean(self.at, axis=0))


def counts(
    results: Iterable["FrameResult"], demands: Sequence[Demand] = (), hazards: Iterable[Hazard] = RATES
) -> tuple[Count, ...]:
    """Return the counts of each hazard that was searched for, in each area that asks for it.

    Where no demand has an area with the hazard, the area is all that was looked at.
    """
    frames = sorted((r for r in results if r.footprint and r.shot), key=_time)
    told: list[Count] = []
    for hazard in hazards:
        looked = [f for f in frames if hazard in f.searched]
        if not looked:
            continue
        scale = Scale.at(_ring(looked[0])[0])
        rings = [_polygon(_ring(f), scale) for f in looked]
        bodies = distinct([[o for o in f.observations if o.hazard is hazard] for f in looked], scale)
        for demand in demands:
            if hazard in demand.hazards and isinstance(demand.where, Area):
                shape = _shape(demand.where, scale)
                count = _count(hazard, demand.id, shape, rings, bodies, scale)
                inside = chance_inside(demand.where, demand.sought) if demand.sought else None
                told.append(replace(count, inside=inside))
        if not any(count.hazard is hazard for count in told):
            shape = shapely.union_all(rings)
            told.append(_count(hazard, "", shape, rings, bodies, scale))
    return tuple(told)


def distinct(frames: Sequence[Sequence[Observation]], scale: Scale) -> tuple[Body, ...]:
    """Return the bodies that the sightings of pictures, in the order of time, add up to."""
    known: list[_Known] = []
    for seen in frames:
        if not seen:
            continue
        at = np.array([scale.to_local(o.place) for o in seen], float)
        reach_m = min(max(o.ellipse.major_m for o in seen) * math.sqrt(2), FARTHEST_M)
        gone_m = WANDER_M_S.get(seen[0].hazard, 0.0)
        own_m = [OWN_M + gone_m * abs((seen[0].seen_at - k.seen_at).total_seconds()) / 2 for k in known]
        shift, pairs = _fitted(at, known, np.array(own_m), reach_m)
        for i, observation in enumerate(seen):
            here = (float(at[i, 0] - shift[0]), float(at[i, 1] - shift[1]))
            if i not in pairs:
                known.append(_Known([here], observation.seen_at, [observation.id]))
                continue
            body = known[pairs[i]]
            body.at.append(here)
            body.looks.append(observation.id)
            body.seen_at = observation.seen_at
    return tuple(Body(scale.to_place(*map(float, k.place_m)), tuple(k.looks)) for k in known)


def interval(found: int, covered: Covered, rates: Rates) -> tuple[int, int, int]:
    """Return low, middle and high of how many bodies there were (module's first lines)."""
    pictures = covered.area_m2 * covered.share / max(covered.picture_m2, 1e-9)
    shape, rate = rates.false + 0.5, rates.pictures
    false = _negative_binomial(np.arange(found + 1), shape, rate / (rate + pictures))
    chances = _chances(covered, rates) * covered.share
    most = min(math.ceil(4.0 * (found + 6.0) / float(chances.min())), _MOST)
    there = np.arange(most + 1)
    likely = np.zeros(most + 1)
    for chance in chances:
        # Of `found`, so many are false and the rest bodies.
        likely += sum(
            false[k] * _binomial(found - k, there, chance) for k in range(found + 1) if false[k] > 1e-12
        )
    upto = np.cumsum(likely) / likely.sum()
    low, middle, high = (int(np.searchsorted(upto, q)) for q in ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2))
    return low, middle, high


def to_json(count: Count) -> dict[str, object]:
    """Return a count as the command prints it."""
    rounded = None if count.per_km2 is None else [round(v, 1) for v in count.per_km2]
    return {
        "hazard": count.hazard.value,
        "area": count.area or EVERYTHING,
        "area_m2": round(count.covered.area_m2),
        "share_seen": round(count.covered.share, 3),
        "mean_looks": round(float(np.dot(np.arange(len(count.covered.looks)), count.covered.looks)), 2),
        "bodies_told": len(count.bodies),
        "count": count.middle,
        "count_90": None if count.low is None else [count.low, count.high],
        "per_km2": None if rounded is None else rounded[1],
        "per_km2_90": None if rounded is None else [rounded[0], rounded[2]],
        "probability_covered": round(count.probability[1], 3),
        "probability_covered_90": [round(count.probability[0], 3), round(count.probability[2], 3)],
        "probability_of_area": None if count.inside is None else round(count.inside, 3),
        "probability_of_success": None
        if count.inside is None
        else round(count.inside * count.probability[1], 3),
        "recall_of_a_look": round(count.rates.recall, 3),
        "false_a_picture": round(count.rates.false / count.rates.pictures, 3),
        "rates_from": count.rates.source,
        "method": "binomial thinning with unknown N, flat prior (Raftery 1988); each body once",
    }


def line(count: Count) -> str:
    """Return a count in a line for people."""
    what = "warm bodies" if count.hazard is Hazard.WILDLIFE else "people"
    where = (
        f"{count.area or EVERYTHING}: {count.covered.share:.0%} of {count.covered.area_m2 / 1e4:.1f} ha seen"
    )
    covered = f"a body there is found with a probability of {count.probability[1]:.0%}"
    if count.inside is not None:
        covered += f", and what is searched for with {count.inside * count.probability[1]:.0%}"
    if count.middle is None:
        return f"{what}, {where}, too little to reckon a number; {covered}"
    return (
        f"{what}, {where}: {len(count.bodies)} told, {count.middle} likely "
        f"(90 %: {count.low} to {count.high}); {covered}"
    )


def _count(
    hazard: Hazard,
    name: str,
    shape: BaseGeometry,
    rings: Sequence[Polygon],
    bodies: Sequence[Body],
    scale: Scale,
) -> Count:
    covered = _covered(shape, rings)
    inside = tuple(b for b in bodies if shapely.contains_xy(shape, *scale.to_local(b.place)))
    rates = RATES[hazard]
    chances = np.sort(_chances(covered, rates)) * covered.share
    chance = tuple(float(np.quantile(chances, q)) for q in ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2))
    told = Count(hazard, name, covered, inside, None, None, None, (chance[0], chance[1], chance[2]), rates)
    if covered.share < LEAST_SHARE:
        return told
    low, middle, high = interval(len(inside), covered, rates)
    return replace(told, low=low, middle=middle, high=high)


def _chances(covered: Covered, rates: Rates) -> Floats:
    """Return equally likely chances that a body of the part that was seen is found."""
    quantiles = (np.arange(_ORDERS) + 0.5) / _ORDERS
    recalls = betaincinv(rates.found + 0.5, rates.there - rates.found + 0.5, quantiles)
    return np.array([covered.found_with(float(r), d) for r in recalls for d in _DEPENDENCE])


def _negative_binomial(many: npt.NDArray[np.int64], shape: float, chance: float) -> Floats:
    """Return the probabilities of so many: a Poisson number whose mean is a Gamma's."""
    ways = gammaln(many + shape) - gammaln(shape) - gammaln(many + 1.0)
    return np.asarray(np.exp(ways + shape * math.log(chance) + xlog1py(many, -chance)))


def _binomial(many: int, of: npt.NDArray[np.int64], chance: float) -> Floats:
    """Return the probabilities of finding so many of each number there is, 0 where it is fewer."""
    rest = np.maximum(of - many, 0)
    ways = gammaln(of + 1.0) - gammaln(many + 1.0) - gammaln(rest + 1.0)
    return np.where(of >= many, np.exp(ways + xlogy(many, chance) + xlog1py(rest, -chance)), 0.0)


def _covered(shape: BaseGeometry, rings: Sequence[Polygon]) -> Covered:
    """Return how often each part of an area was looked at, by cells."""
    west, south, east, north = shape.bounds
    step = max(math.sqrt(max((east - west) * (north - south), 1.0) / _CELLS), 0.5)
    x, y = np.meshgrid(np.arange(west + step / 2, east, step), np.arange(south + step / 2, north, step))
    inside = shapely.contains_xy(shape, x, y)
    x, y = x[inside], y[inside]
    many = np.zeros(x.shape, int)
    for ring in rings:
        many += shapely.contains_xy(ring, x, y)
    shares = np.bincount(many, minlength=2) / max(many.size, 1) if many.size else np.array([1.0, 0.0])
    picture_m2 = float(np.mean([ring.area for ring in rings])) if rings else 0.0
    return Covered(float(shape.area), picture_m2, tuple(float(v) for v in shares))


def _fitted(
    at: Floats, known: Sequence[_Known], own_m: npt.NDArray[np.float64], reach_m: float
) -> tuple[Floats, dict[int, int]]:
    """Return the shift of a picture's places under which most are bodies known by then, and which."""
    if not known:
        return np.zeros(2), {}
    places = np.array([k.place_m for k in known])
    gaps = (at[:, None, :] - places[None, :, :]).reshape(-1, 2)
    near = gaps[np.hypot(*gaps.T) <= reach_m]
    best, pairs, worth = np.zeros(2), dict[int, int](), -1.0
    for shift in near[np.argsort(np.hypot(*near.T))]:
        matched = _matched(at - shift, places, own_m)
        # The most bodies win; of as many, the smaller shift.
        if len(matched) > worth:
            best, pairs, worth = shift, matched, len(matched)
    if pairs:
        best = np.mean([at[i] - places[j] for i, j in pairs.items()], axis=0)
    return np.asarray(best, float), pairs


def _matched(at: Floats, places: Floats, own_m: npt.NDArray[np.float64]) -> dict[int, int]:
    """Return which places are which bodies, each once, the closest way round."""
    apart = np.hypot(*(at[:, None, :] - places[None, :, :]).transpose(2, 0, 1))
    cost = np.where(apart <= own_m[None, :], apart - 100.0, 0.0)
    rows, columns = linear_sum_assignment(cost)
    return {int(i): int(j) for i, j in zip(rows, columns, strict=True) if cost[i, j] < 0}


def _time(result: "FrameResult") -> float:
    return result.shot.taken_at.timestamp() if result.shot and result.shot.taken_at else 0.0


def _ring(result: "FrameResult") -> tuple[LatLon, ...]:
    return result.footprint or ()


def _polygon(ring: Sequence[LatLon], scale: Scale) -> Polygon:
    points = [scale.to_local(p) for p in ring]
    whole = Polygon(points)
    return whole if whole.is_valid else MultiPoint(points).convex_hull


def _shape(area: Area, scale: Scale) -> BaseGeometry:
    rings = [[scale.to_local(p) for p in ring] for ring in (area.outer, *area.holes)]
    return Polygon(rings[0], rings[1:]).buffer(0)
