"""What the service found against what the simulator had set, as an outside reader would compare them.

Both sides are GeoJSON points with a `hazard`; nothing else of either is used.
An incident and a hazard of the truth belong together when they are of the same
kind and at most 50 m apart, nearest pairs first, each in one pair only. So a
fire told as two incidents is one found and one false.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from missions.geo import LatLon, distance_m

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
    told = dict(_points(incidents))
    true = {name: point for name, point in _points(truth) if point[0] != NO_HAZARD}
    found = tuple(_nearest_first(told, true))
    told_right, seen = {m.incident for m in found}, {m.truth for m in found}
    return Score(
        found,
        tuple(name for name in true if name not in seen),
        tuple(name for name in told if name not in told_right),
        len(truth["features"]) - len(true),
    )


def _nearest_first(
    told: Mapping[str, tuple[str, LatLon]], true: Mapping[str, tuple[str, LatLon]]
) -> Iterator[Match]:
    pairs = sorted(
        (distance_m(place, there), incident, hazard_id, hazard)
        for incident, (hazard, place) in told.items()
        for hazard_id, (kind, there) in true.items()
        if hazard == kind
    )
    used: set[str] = set()
    for apart_m, incident, hazard_id, hazard in pairs:
        keys = {f"told {incident}", f"true {hazard_id}"}
        if apart_m <= WITHIN_M and not keys & used:
            used |= keys
            yield Match(hazard, round(apart_m, 2), incident, hazard_id)


def _points(collection: Json) -> Iterator[tuple[str, tuple[str, LatLon]]]:
    features: Sequence[Json] = collection["features"]
    for index, feature in enumerate(features):
        lon_deg, lat_deg = feature["geometry"]["coordinates"][:2]
        properties = feature["properties"]
        name = str(properties.get("id", feature.get("id", index)))
        yield name, (properties["hazard"], LatLon(lat_deg, lon_deg))
