"""Where a sortie may fly and where else it may land: fence areas and landings (pure).

Both travel with the order and are put on board with the mission, so that they
hold where the gateway is not heard.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shapely.geometry import LineString, Point, Polygon

from missions.bounds import Bounds
from missions.geo import LatLon, LocalFrame

DOCK, RALLY = "dock", "rally"


@dataclass(frozen=True, slots=True)
class Landing:
    """A place to land other than the sortie's own dock: another dock, or a rally point.

    `elevation_m` is its ground above mean sea level. A way there stands behind the mission,
    for a drone that is diverted, unless `has_way` is false: such a rally point is only what
    the autopilot itself may return to.
    """

    id: str
    kind: str
    lat_deg: float
    lon_deg: float
    elevation_m: float
    has_way: bool = True

    @property
    def place(self) -> LatLon:
        return LatLon(self.lat_deg, self.lon_deg)

    @property
    def is_dock(self) -> bool:
        """Whether it has a door to be opened."""
        return self.kind == DOCK


@dataclass(frozen=True, slots=True)
class Zone:
    """A fence area to stay inside or outside of: a polygon, or a circle where `radius_m` is given."""

    inside: bool
    corners: tuple[LatLon, ...]
    radius_m: float | None = None

    def __post_init__(self) -> None:
        if self.radius_m is None and len(self.corners) < 3:
            raise ValueError(f"a fence polygon needs 3 corners or more, found {len(self.corners)}")
        if self.radius_m is not None and (len(self.corners) != 1 or not self.radius_m > 0):
            raise ValueError("a fence circle needs one centre and a radius above 0")


@dataclass(frozen=True)
class Fence:
    """All areas of one fence: inside every one to stay in, outside every one to stay out of."""

    zones: tuple[Zone, ...]

    @cached_property
    def _shapes(self) -> tuple[LocalFrame, tuple[tuple[bool, Any], ...]]:
        frame = LocalFrame(self.zones[0].corners[0])
        return frame, tuple((z.inside, _shape(z, frame)) for z in self.zones)

    def breach(self, *places: LatLon) -> str | None:
        """Return how the straight lines between some places break the fence, None if they do not."""
        if not self.zones:
            return None
        frame, shapes = self._shapes
        local = [frame.to_local(p) for p in places]
        path = Point(local[0]) if len(local) == 1 else LineString(local)
        for inside, shape in shapes:
            if inside and not shape.covers(path):
                return "leaves the fence"
            if not inside and shape.intersects(path):
                return "enters an area the fence keeps out of"
        return None


def bounded(bounds: Bounds, *, are_tended: bool) -> tuple[tuple[Landing, ...], tuple[Zone, ...]]:
    """Return where else a flight may land and its fence, by the bounds that its plan is exported with.

    Docks that a gateway tends are places to be diverted to, once their door is open, and no rally points: an
    autopilot that turns home by itself asks nobody. Untended they are the plan's rally points and no more.
    """
    kind = DOCK if are_tended else RALLY
    landings = tuple(
        Landing(d.id, kind, d.place.lat_deg, d.place.lon_deg, d.elevation_m, has_way=are_tended)
        for d in bounds.landings
    )
    return landings, (Zone(True, bounds.inside), *(Zone(False, ring) for ring in bounds.outside))


def landing_from(value: Mapping[str, Any]) -> Landing:
    """Return the landing that JSON values say.

    Raises:
        KeyError, TypeError, ValueError: they say none.
    """
    kind = str(value.get("kind", RALLY))
    if kind not in (DOCK, RALLY):
        raise ValueError(f"landing kind {kind!r} is not one of {DOCK}, {RALLY}")
    landing = Landing(
        str(value["id"]),
        kind,
        float(value["lat_deg"]),
        float(value["lon_deg"]),
        float(value["elevation_m"]),
        bool(value.get("has_way", True)),
    )
    _ = landing.place  # a place on earth, or refused here
    return landing


def zone_from(value: Mapping[str, Any]) -> Zone:
    """Return the fence area that JSON values say.

    Raises:
        KeyError, TypeError, ValueError: they say none.
    """
    radius = value.get("radius_m")
    corners = tuple(_corner(c) for c in value["corners"])
    return Zone(bool(value["inside"]), corners, None if radius is None else float(radius))


def _corner(value: Mapping[str, Any] | Sequence[float]) -> LatLon:
    if isinstance(value, Mapping):
        return LatLon(float(value["lat_deg"]), float(value["lon_deg"]))
    lat_deg, lon_deg = value
    return LatLon(float(lat_deg), float(lon_deg))


def _shape(zone: Zone, frame: LocalFrame) -> Any:
    local = [frame.to_local(c) for c in zone.corners]
    return Point(local[0]).buffer(zone.radius_m) if zone.radius_m is not None else Polygon(local)
