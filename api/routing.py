"""Whose ground an event may lie on: jurisdiction polygons against error ellipses, many at once.

Edges are straight in longitude and latitude, as GeoJSON means them, and a border
belongs to both sides. An ellipse is drawn as a ring of 32 corners around it, never
inside, so that at worst a neighbour half a per cent of the ellipse's size beyond
the border is told too and nobody is left out. One STRtree over all parts finds the
candidates by their boxes; prepared polygons settle them.

`route` adds hazard, severity and confidence, and answers with one value an agency,
each with its reason.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from missions.geo import WGS84, Area, Floats, LatLon
from missions.model import Agency, Hazard, Severity, Site, Subscription
from vision.model import Ellipse

CORNERS = 32
AROUND = 1.0 / math.cos(math.pi / CORNERS)
"""How much larger a ring of that many corners is drawn so that the ellipse lies inside it."""

KEEPS_AT = 0.8
"""An agency that was told goes on being told until the confidence falls to this share of its threshold."""

_TURN = np.linspace(0.0, 2 * np.pi, CORNERS + 1)
_COS, _SIN = AROUND * np.cos(_TURN), AROUND * np.sin(_TURN)
_COS[-1], _SIN[-1] = _COS[0], _SIN[0]

Indices = npt.NDArray[np.intp]


class Concern(StrEnum):
    """What an event is to an agency, before anything is said of how often it was told."""

    TELL = "tell"
    TOO_UNCERTAIN = "too uncertain"
    BELOW_FLOOR = "below its floor"
    NOT_ITS_HAZARD = "not its hazard"
    NOT_ITS_GROUND = "not its ground"

    @property
    def is_its_own(self) -> bool:
        """Whether the event lies on the agency's ground and is of its hazards: it may see it, told or not."""
        return self in (Concern.TELL, Concern.TOO_UNCERTAIN, Concern.BELOW_FLOOR)


@dataclass(frozen=True, slots=True)
class Route:
    """What one event is to one agency, and why."""

    agency: str
    concern: Concern
    reason: str


@dataclass(frozen=True, slots=True)
class Places:
    """Many places with their 95 % ellipses, as arrays of one length; a major axis of 0 means a point."""

    lat_deg: Floats
    lon_deg: Floats
    major_m: Floats
    minor_m: Floats
    bearing_deg: Floats

    def __post_init__(self) -> None:
        lengths = {len(getattr(self, name)) for name in self.__slots__}
        if len(lengths) != 1:
            raise ValueError(f"places need arrays of one length, these have {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.lat_deg)

    @classmethod
    def of(cls, places: Iterable[tuple[LatLon, Ellipse]]) -> "Places":
        """Return the arrays of some places and ellipses."""
        rows = [(p.lat_deg, p.lon_deg, e.major_m, e.minor_m, e.bearing_deg) for p, e in places]
        return cls(*np.array(rows, dtype=float).reshape(-1, 5).T)


class Grounds:
    """The jurisdictions of all agencies, made ready for looking up. Read-only once built."""

    def __init__(self, agencies: Sequence[Agency]) -> None:
        parts = [(_polygon(area), i) for i, agency in enumerate(agencies) for area in agency.jurisdiction]
        self.agencies = tuple(agencies)
        self._polygons = np.array([polygon for polygon, _ in parts], dtype=object)
        self._owner = np.array([i for _, i in parts], dtype=np.intp)
        shapely.prepare(self._polygons)
        self._tree = shapely.STRtree(self._polygons)

    def touched(self, places: Places) -> tuple[Indices, Indices]:
        """Return (indices of places, indices of agencies): every pair that may meet, once each, in order."""
        outlines = rings(places)
        asked, part = self._tree.query(outlines)
        meets = shapely.intersects(self._polygons[part], outlines[asked])
        pairs = np.unique(asked[meets] * len(self.agencies) + self._owner[part[meets]])
        return np.divmod(pairs, max(len(self.agencies), 1))

    def under(self, ring: Sequence[LatLon]) -> frozenset[str]:
        """Return the agencies of whose ground a ring holds some; a border that is touched is no ground."""
        outline = shapely.make_valid(shapely.Polygon([(p.lon_deg, p.lat_deg) for p in ring]))
        parts = self._tree.query(outline)
        held = shapely.area(shapely.intersection(self._polygons[parts], outline)) > 0
        return frozenset(self.agencies[i].id for i in self._owner[parts[held]])

    def holding(self, ring: Sequence[LatLon]) -> frozenset[str]:
        """Return the agencies on whose ground the whole of a ring lies."""
        outline = shapely.Polygon([(p.lon_deg, p.lat_deg) for p in ring])
        near = sorted(set(self._owner[self._tree.query(outline)].tolist()))
        whole = {i: shapely.union_all(self._polygons[self._owner == i]) for i in near}
        return frozenset(self.agencies[i].id for i in near if shapely.covers(whole[i], outline))

    def at(self, place: LatLon, ellipse: Ellipse) -> frozenset[str]:
        """Return the agencies on whose ground one place may lie."""
        _, found = self.touched(Places.of([(place, ellipse)]))
        return frozenset(self.agencies[i].id for i in found)


def grounds_of(site: Site) -> Grounds:
    """Return the grounds of a site, built once for each."""
    return _built(_Same(site))


def rings(places: Places) -> npt.NDArray[Any]:
    """Return each ellipse as a polygon in degrees, or as a point where it has no size."""
    radians = np.radians(places.lat_deg)
    # Metres in one degree where the place is, on the ellipsoid: exact enough up to some kilometres.
    squeezed = 1.0 - WGS84.es * np.sin(radians) ** 2
    north_m = np.radians(WGS84.a * (1.0 - WGS84.es) / squeezed**1.5)
    east_m = np.radians(WGS84.a / np.sqrt(squeezed) * np.cos(radians))
    turn = np.radians(places.bearing_deg)[:, None]
    along, across = places.major_m[:, None] * _COS, np.maximum(places.minor_m, 0.01)[:, None] * _SIN
    east = along * np.sin(turn) + across * np.cos(turn)
    north = along * np.cos(turn) - across * np.sin(turn)
    corners = np.stack(
        [
            places.lon_deg[:, None] + east / east_m[:, None],
            places.lat_deg[:, None] + north / north_m[:, None],
        ],
        axis=-1,
    )
    outlines = np.asarray(shapely.polygons(shapely.linearrings(corners)))
    is_point = places.major_m <= 0
    outlines[is_point] = shapely.points(places.lon_deg[is_point], places.lat_deg[is_point])
    return outlines


def route(
    agency: Agency,
    *,
    is_on_ground: bool,
    hazard: Hazard,
    severity: Severity,
    confidence: float,
    was_told: bool = False,
) -> Route:
    """Return what an event is to an agency.

    Of several subscriptions that name the hazard the most willing one counts. Whoever was told
    stays with the event while it wanders over a border or sinks a little below a threshold: it may
    have people on the way, and a message that comes and goes helps nobody.
    """
    wants = [s for s in agency.subscriptions if hazard in s.hazards]
    if not wants:
        return Route(agency.id, Concern.NOT_ITS_HAZARD, f"it did not ask for {hazard}")
    if not (is_on_ground or was_told):
        return Route(agency.id, Concern.NOT_ITS_GROUND, "the 95 % ellipse does not meet its ground")
    if was_told and any(confidence >= KEEPS_AT * s.confidence for s in wants):
        return Route(agency.id, Concern.TELL, "it was told before")
    reached = [s for s in wants if severity.reaches(s.floor)]
    if not reached:
        lowest = min((s.floor for s in wants), key=lambda floor: floor.rank)
        return Route(agency.id, Concern.BELOW_FLOOR, f"{severity} is below its floor {lowest}")
    least = min(_asked(s, severity) for s in reached)
    if confidence < least:
        return Route(
            agency.id, Concern.TOO_UNCERTAIN, f"confidence {confidence:.2f} is below its {least:.2f}"
        )
    return Route(agency.id, Concern.TELL, f"{hazard} of severity {severity} on its ground")


def _asked(wish: Subscription, severity: Severity) -> float:
    """Return the confidence an agency wants before it is told; for red it is content with half."""
    return wish.confidence * (0.5 if severity is Severity.RED else 1.0)


def _polygon(area: Area) -> shapely.Polygon:
    outer, *holes = ([(p.lon_deg, p.lat_deg) for p in ring] for ring in (area.outer, *area.holes))
    return shapely.Polygon(outer, holes)


class _Same:
    """A site as a dictionary key: the same object, not an equal one (comparing every corner is slow)."""

    __slots__ = ("site",)

    def __init__(self, site: Site) -> None:
        self.site = site

    def __hash__(self) -> int:
        return id(self.site)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.site is self.site


@lru_cache(maxsize=16)
def _built(key: _Same) -> Grounds:
    return Grounds(key.site.agencies)
