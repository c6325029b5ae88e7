"""What the service found against what the simulator had set, as an outside reader would compare them.

Both sides are GeoJSON points with a `hazard`; nothing else of either is used but
the `outline` of what is truly no point, a flood or a felling. An incident and a
hazard of the truth belong together when they are of the same kind and at most
50 m apart, nearest pairs first, each in one pair only. So a
fire told as two incidents is one found and one false.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shapely.geometry import Point, shape

from missions.geo import LatLon, LocalFrame, distance_m

WITHIN_M = 50.0
NO_HAZARD = "none"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Match:
    """A hazard that was found, and how far off its incident lies."""

    hazard: str
    error_m: float
    incident: str
    truth: str


@dataclass(frozen=True, slots=True)
class Score:
    """The comparison: what was found, missed, and told without cause."""

    found: tuple[Match, ...]
    missed: tuple[str, ...]
    false: tuple[str, ...]
    decoys: int

    @property
    def recall(self) -> float | None:
        """The share of the truth that was found; None where there was nothing to find."""
        there = len(self.found) + len(self.missed)
        return len(self.found) / there if there else None


def compare(incidents: Json, truth: Json) -> Score:
    """Return how the service's feature collection fits the simulator's."""
    told = dict(_things(incidents))
    true = {name: thing for name, thing in _things(truth) if thing.hazard != NO_HAZARD}
    found = tuple(_nearest_first(told, true))
    told_right, seen = {m.incident for m in found}, {m.truth for m in found}
    return Score(
        found,
        tuple(name for name in true if name not in seen),
        tuple(name for name in told if name not in told_right),
        len(truth["features"]) - len(true),
    )


@dataclass(frozen=True, slots=True)
class _Thing:
    hazard: str
    place: LatLon
    outline: Json | None

    def apart_m(self, place: LatLon) -> float:
        """Return how far a place is from this: from its ground where that is known, 0 on it."""
        if self.outline is None:
            return distance_m(self.place, place)
        return float(LocalFrame(place).in_metres(shape(self.outline)).distance(Point(0.0, 0.0)))


def _nearest_first(told: Mapping[str, _Thing], true: Mapping[str, _Thing]) -> Iterator[Match]:
    pairs = sorted(
        (there.apart_m(incident.place), name, hazard_id)
        for name, incident in told.items()
        for hazard_id, there in true.items()
        if incident.hazard == there.hazard
    )
    used: set[str] = set()
    for apart_m, name, hazard_id in pairs:
        keys = {f"told {name}", f"true {hazard_id}"}
        if apart_m <= WITHIN_M and not keys & used:
            used |= keys
            yield Match(true[hazard_id].hazard, round(apart_m, 2), name, hazard_id)


def _things(collection: Json) -> Iterator[tuple[str, _Thing]]:
    features: Sequence[Json] = collection["features"]
    for index, feature in enumerate(features):
        lon_deg, lat_deg = feature["geometry"]["coordinates"][:2]
        properties = feature["properties"]
        name = str(properties.get("id", feature.get("id", index)))
        yield name, _Thing(properties["hazard"], LatLon(lat_deg, lon_deg), properties.get("outline"))
