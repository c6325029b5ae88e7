"""Which pictures of a flight become the baseline of which place. Pure.

A place is a demand that asks what has changed: floods, fellings, dying trees. Its baseline is made of the
frames of one flight that show its ground.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar

from shapely.geometry import Polygon

from api.coverage import ground_of
from missions.geo import LocalFrame
from missions.model import Hazard, Site

CHANGES = frozenset({Hazard.FLOOD, Hazard.LOGGING, Hazard.TREE_HEALTH, Hazard.DISCHARGE})
MOST_FRAMES = 120
"""Of each eye and place: more are thinned out evenly, so that a place costs about a minute of one core."""


class Picture(Protocol):
    """One picture's file and footprint, as the store keeps it."""

    @property
    def sensor(self) -> str: ...
    @property
    def footprint(self) -> list[Any] | None: ...


P = TypeVar("P", bound=Picture)


def of_places(site: Site, demands: Iterable[str], pictures: Sequence[P]) -> dict[str, list[P]]:
    """Return for each place among a flight's demands the pictures that show it, in their order.

    Places that no colour picture shows are left out: there is nothing to compare with later.
    """
    frame = LocalFrame(site.origin)
    shown = [(p, _polygon(p.footprint, frame)) for p in pictures if p.footprint]
    asked = set(demands)
    found: dict[str, list[P]] = {}
    for demand in site.demands:
        if demand.id not in asked or not CHANGES & set(demand.hazards):
            continue
        ground = ground_of(demand, frame)
        eyes: dict[str, list[P]] = {}
        for picture, polygon in shown:
            if polygon.intersects(ground):
                eyes.setdefault(picture.sensor, []).append(picture)
        if "rgb" in eyes:
            found[place_of(demand.id)] = [p for eye in eyes.values() for p in _thinned(eye)]
    return found


def place_of(demand: str) -> str:
    """Return a demand's name as that of a place: letters, digits, - and _."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", demand).lstrip("-_")[:64] or "place"


def _thinned(pictures: list[P]) -> list[P]:
    step = max(1.0, len(pictures) / MOST_FRAMES)
    return [pictures[int(i * step)] for i in range(int(len(pictures) / step))]


def _polygon(ring: Any, frame: LocalFrame) -> Polygon:
    corners = [(float(lon), float(lat)) for lon, lat in ring]
    east, north = frame.east_north(*([c[i] for c in corners] for i in (1, 0)))
    return Polygon(list(zip(east, north, strict=True))).buffer(0)
