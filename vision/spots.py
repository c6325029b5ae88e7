"""The sources an incident is made of, and how near an observation is to each.

A small fire is one spot; a fire line is a chain of them, and what joins the chain anywhere joins
the incident. All is reckoned in metres east and north around the observation; over the few hundred
metres that matter here a degree has one length.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from shapely.geometry import Point, Polygon

from missions.geo import LatLon
from missions.model import Hazard
from vision.fusion import fuse, look_of
from vision.model import Ellipse, Incident, Look, Observation, Spot
from vision.tangent import Scale
from vision.uncertainty import CHI2_95, variances

GATE = 13.8
"""Squared deviations within which two places may be one: 99.9 % in two dimensions."""

SAME_SPOT = 9.21
"""Squared deviations within which they are taken to be one source, and not its neighbour: 99 %."""

FARTHEST_M = 30.0
"""No two places further apart than this, edge to edge, are one event, however badly they were seen."""

COARSE_M = 60.0
"""A place known no better than this comes from a satellite or hearsay and may be one with what it covers."""

ADJOINING_M = 15.0
"""Sources in one picture are this near to belong together: within a picture errors are shared."""

PARTED_M = {Hazard.FLOOD: 60.0}
"""Parts of one event so far apart, edge to edge, touch: dry ground and crowns stand out of one flood."""

OVERLAPPING = frozenset({Hazard.LOGGING})
"""Pictures show overlapping parts of one such body: their areas do not add up."""

KEPT_LOOKS, KEPT_IN_A_CROWD, CROWD = 8, 2, 4
MOST_SPOTS = 200
OUTLINED_M2 = 100.0

WANDER_M_S = {
    Hazard.FIRE: 0.005,
    Hazard.SMOKE: 0.02,
    Hazard.BURNING: 0.005,
    Hazard.FLOOD: 0.005,
    Hazard.PERSON: 0.5,
    Hazard.WILDLIFE: 0.5,
    Hazard.INTRUSION: 0.05,
}
"""How fast the middle of a hazard moves of itself; what is not named stands still."""


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near an observation is to an incident: to which spot, by how much.

    `gap_m` is edge to edge (0 where they overlap, or where `PARTED_M` has them touch), `squared` in
    squared deviations; `overlaps` says that the bodies, not only the errors around them, lie over each other.
    """

    incident: Incident
    spot: int
    apart_m: float
    gap_m: float
    squared: float
    is_same_spot: bool

    @property
    def overlaps(self) -> bool:
        return self.gap_m <= 0.0


def spots_of(incident: Incident) -> tuple[Spot, ...]:
    """Return an incident's spots; one that was stored without them is a single spot."""
    if incident.spots:
        return incident.spots
    return (
        Spot(
            incident.place,
            incident.ellipse,
            radius_m(incident.area_m2),
            incident.seen_at,
            (_stored(incident),),
        ),
    )


def nearness(incident: Incident, seen: Observation) -> Nearness | None:
    """Return how near an observation is to the incident's nearest spot, None when it is not its own."""
    scale, own = Scale.at(seen.place), radius_m(seen.area_m2)
    shape = _shape(seen, scale)
    blur = variances(seen.ellipse)
    best: Nearness | None = None
    for i, spot in enumerate(spots_of(incident)):
        east, north = scale.to_local(spot.place)
        apart = math.hypot(east, north)
        gap = max(0.0, apart - spot.radius_m - own)
        if shape is not None:
            gap = min(gap, max(0.0, shape.distance(Point(east, north)) - spot.radius_m))
        touching = max(0.0, gap - PARTED_M.get(seen.hazard, 0.0))
        if touching > _farthest(seen, spot) or (best and touching >= best.gap_m and apart >= best.apart_m):
            continue
        at, known = (east, north, apart), variances(spot.ellipse)
        squared = _squared(*at, touching, blur, known)
        if squared > GATE:
            continue
        is_shared = any(look.shot == seen.shot for look in spot.looks) and bool(seen.shot)
        if is_shared and touching > ADJOINING_M:
            continue
        if shape is not None and seen.hazard not in PARTED_M:
            gap = max(gap, apart - max(spot.radius_m, own))  # another part of what is larger than a picture
        own_gap = squared if touching == gap else _squared(*at, gap, blur, known)
        best = Nearness(incident, i, apart, touching, squared, own_gap <= SAME_SPOT and not is_shared)
    return best


def with_look(spots: Sequence[Spot], near: Nearness, seen: Observation) -> tuple[Spot, ...]:
    """Return the spots with an observation added, to the spot it is one with or as a new one, and its end."""
    return with_end(_with_middle(spots, near, seen), seen)


def with_end(spots: tuple[Spot, ...], seen: Observation) -> tuple[Spot, ...]:
    """Return the spots and, where a long body's far end lies well outside, that as one without area."""
    if seen.outline is None or (seen.area_m2 or 0.0) < OUTLINED_M2 or seen.hazard in PARTED_M:
        return spots
    scale = Scale.at(seen.place)
    end = max(seen.outline.outer, key=lambda place: math.hypot(*scale.to_local(place)))
    scale = Scale.at(end)
    if any(math.hypot(*scale.to_local(s.place)) - s.radius_m <= ADJOINING_M for s in spots):
        return spots
    return thinned((*spots, new_spot(replace(seen, place=end, area_m2=0.0))))


def _with_middle(spots: Sequence[Spot], near: Nearness, seen: Observation) -> tuple[Spot, ...]:
    if not near.is_same_spot:
        return thinned((*spots, new_spot(seen)))
    spot = spots[near.spot]
    keep = KEPT_LOOKS if len(spots) <= CROWD else KEPT_IN_A_CROWD
    looks = _worth_keeping((*spot.looks, look_of(seen)), keep)
    fused = fuse(looks, wander_m_s=WANDER_M_S.get(seen.hazard, 0.0))
    grown = Spot(
        fused.place,
        fused.ellipse,
        max(spot.radius_m, radius_m(seen.area_m2)),
        max(spot.seen_at, seen.seen_at),
        looks,
    )
    return (*spots[: near.spot], grown, *spots[near.spot + 1 :])


def new_spot(seen: Observation) -> Spot:
    """Return the spot of one observation."""
    return Spot(seen.place, seen.ellipse, radius_m(seen.area_m2), seen.seen_at, (look_of(seen),))


def same_place(a: Incident, b: Incident) -> bool:
    """Return whether two incidents of one spot each have come to be at one place.

    Never where one picture shows both: then they are two.
    """
    if len(a.spots) != 1 or len(b.spots) != 1:
        return False
    one, other = a.spots[0], b.spots[0]
    if {look.shot for look in one.looks if look.shot} & {look.shot for look in other.looks}:
        return False
    east, north = Scale.at(one.place).to_local(other.place)
    apart = math.hypot(east, north)
    if apart > ADJOINING_M:
        return False
    return _squared(east, north, apart, apart, variances(one.ellipse), variances(other.ellipse)) <= CHI2_95


def middle(spots: Sequence[Spot]) -> tuple[LatLon, Ellipse]:
    """Return where the event is as a whole: the middle of its spots by area, with the largest's ellipse."""
    if len(spots) == 1:
        return spots[0].place, spots[0].ellipse
    weights = [max(s.radius_m, 0.5) ** 2 for s in spots]
    total = sum(weights)
    first = spots[0].place
    lat = sum(w * (s.place.lat_deg - first.lat_deg) for w, s in zip(weights, spots, strict=True)) / total
    lon = sum(w * (s.place.lon_deg - first.lon_deg) for w, s in zip(weights, spots, strict=True)) / total
    largest = spots[weights.index(max(weights))]
    return LatLon(first.lat_deg + lat, first.lon_deg + lon), largest.ellipse


def area_m2(spots: Sequence[Spot]) -> float:
    """Return the area of all spots together."""
    return sum(math.pi * s.radius_m**2 for s in spots)


def radius_m(area_m2: float | None) -> float:
    """Return the radius of a disc of this area; of an area that is not known, 0."""
    return math.sqrt((area_m2 or 0.0) / math.pi)


def _stored(incident: Incident) -> Look:
    """Return all that a stored incident remembers of its looks, as one look."""
    seen = Observation(
        incident.observations[0] if incident.observations else incident.id,
        incident.hazard,
        incident.confidence,
        incident.place,
        incident.ellipse,
        incident.seen_at,
        "",
        "",
    )
    return look_of(seen)


def _farthest(seen: Observation, spot: Spot) -> float:
    """Return the widest gap that may still be one event."""
    blur = max(seen.ellipse.major_m, spot.ellipse.major_m)
    return blur if blur > COARSE_M else FARTHEST_M


def _shape(seen: Observation, scale: Scale) -> Polygon | None:
    """Return an observation's outline in metres around its place, where it is large enough to matter."""
    if seen.outline is None or (seen.area_m2 or 0.0) < OUTLINED_M2 or len(seen.outline.outer) < 3:
        return None
    shape = Polygon([scale.to_local(p) for p in seen.outline.outer])
    return shape if shape.is_valid else shape.convex_hull


def _squared(
    east: float,
    north: float,
    apart: float,
    gap: float,
    one: tuple[float, float, float],
    other: tuple[float, float, float],
) -> float:
    """Return the squared deviations of a gap along the line between two places."""
    if gap <= 0.0 or apart <= 0.0:
        return 0.0
    e, n = east * gap / apart, north * gap / apart
    ee, nn, en = one[0] + other[0] + 1e-6, one[1] + other[1] + 1e-6, one[2] + other[2]
    return (nn * e * e - 2 * en * e * n + ee * n * n) / (ee * nn - en * en)


def _worth_keeping(looks: tuple[Look, ...], most: int) -> tuple[Look, ...]:
    """Return at most so many looks: of the two of one track that are closest in time, the earlier goes."""
    while len(looks) > most:
        last: dict[str, tuple[int, datetime]] = {}
        closest, drop = math.inf, 0
        for i, look in enumerate(looks):
            if look.track in last:
                before, at = last[look.track]
                if (apart := abs((look.seen_at - at).total_seconds())) < closest:
                    closest, drop = apart, before
            last[look.track] = (i, look.seen_at)
        looks = (*looks[:drop], *looks[drop + 1 :])
    return looks


def thinned(spots: tuple[Spot, ...]) -> tuple[Spot, ...]:
    """Return at most `MOST_SPOTS` spots: of the two that lie closest the smaller goes into the larger."""
    if len(spots) <= MOST_SPOTS:
        return spots
    scale = Scale.at(spots[0].place)
    at = np.array([scale.to_local(s.place) for s in spots])
    apart = np.hypot(*(at[:, None, :] - at[None, :, :]).transpose(2, 0, 1)) + np.diag([np.inf] * len(spots))
    i, j = np.unravel_index(int(np.argmin(apart)), apart.shape)
    keep, goes = (int(i), int(j)) if spots[i].radius_m >= spots[j].radius_m else (int(j), int(i))
    whole = math.hypot(spots[keep].radius_m, spots[goes].radius_m)
    wider = Spot(
        spots[keep].place,
        spots[keep].ellipse,
        whole,
        max(spots[keep].seen_at, spots[goes].seen_at),
        spots[keep].looks,
    )
    return tuple(wider if k == keep else s for k, s in enumerate(spots) if k != goes)
