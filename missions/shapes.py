"""The shapes beside a site file: a GeoJSON whose features are named by their `id` property."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyproj import Transformer
from shapely.geometry import Polygon
from shapely.validation import explain_validity

from missions.errors import InputWrong, SiteWrong
from missions.geo import Area, BadPlace, LatLon


@dataclass(frozen=True, slots=True)
class Line:
    """A line of places."""

    places: tuple[LatLon, ...]


Shape = Line | Area


@dataclass(frozen=True, slots=True)
class Shapes:
    """Shapes by name."""

    source: str
    by_id: Mapping[str, Shape]

    @classmethod
    def open(cls, path: Path, to_wgs84: Transformer | None = None) -> "Shapes":
        """Return the checked shapes of a GeoJSON file.

        Raises:
            InputWrong: the file cannot be read as GeoJSON.
            SiteWrong: a shape crosses itself, has too few places or one that is on no map.
        """
        try:
            text = path.read_text(encoding="utf-8")
            features = [dict(feature) for feature in json.loads(text)["features"]]
        except OSError as error:
            raise InputWrong(f"{path}: cannot be read ({error.strerror})") from None
        except (ValueError, KeyError, TypeError):
            raise InputWrong(f"{path}: found no GeoJSON, expected a FeatureCollection of shapes") from None
        found: dict[str, Shape] = {}
        for i, feature in enumerate(features):
            name = _name(path, i, feature)
            try:
                if name in found:
                    raise _Refused("its name a second time", "each name once")
                found[name] = _shape(feature.get("geometry"), to_wgs84)
            except _Refused as why:
                where = f"{path}:{_line_of(text, name)} (shape {name!r})"
                raise SiteWrong(where, why.found, why.expected) from None
        return cls(str(path), found)

    def get(self, name: str) -> Shape | None:
        """Return the shape of this name, or None."""
        return self.by_id.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_id)


@dataclass
class _Refused(Exception):
    """A shape that cannot be used; `Shapes.open` knows which one and where it stands."""

    found: str
    expected: str


def _name(path: Path, i: int, feature: Mapping[str, Any]) -> str:
    properties = feature.get("properties")
    name = properties.get("id") if isinstance(properties, dict) else None
    if name is None:
        name = feature.get("id")
    if name is None:
        expected = "a name by which the site file calls it"
        raise SiteWrong(f"{path}: feature {i + 1}", "no `id` property", expected)
    return str(name)


def _line_of(text: str, name: str) -> int:
    """Return the line on which a feature of this name stands, counted from 1."""
    written = {json.dumps(name), json.dumps(name, ensure_ascii=False), name}
    found = re.search(rf'"id"\s*:\s*({"|".join(map(re.escape, sorted(written)))})', text)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _shape(geometry: Any, to_wgs84: Transformer | None) -> Shape:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("LineString", "Polygon"):
        raise _Refused(f"a {kind}" if kind else "no geometry", "a LineString or a Polygon")
    coordinates = geometry.get("coordinates")
    if kind == "LineString":
        places = _places(coordinates, to_wgs84)
        if len(set(places)) < 2:
            raise _Refused("a line without length", "a line of two places or more")
        return Line(places)
    if not isinstance(coordinates, list) or not coordinates:
        raise _Refused("a polygon without places", "three or more")
    outer, *holes = (_ring(ring, to_wgs84) for ring in coordinates)
    _check_edges(outer, tuple(holes))
    return Area(outer, tuple(holes))


def _ring(coordinates: Any, to_wgs84: Transformer | None) -> tuple[LatLon, ...]:
    """Return a ring's places; the first may be repeated at the end, as GeoJSON wants, or not."""
    places = _places(coordinates, to_wgs84)
    if len(places) > 1 and places[0] == places[-1]:
        places = places[:-1]
    if len(set(places)) < 3:
        raise _Refused(f"a polygon whose different places number {len(set(places))}", "three or more")
    return places


def _check_edges(outer: tuple[LatLon, ...], holes: tuple[tuple[LatLon, ...], ...]) -> None:
    polygon = Polygon(_lon_lat(outer), [_lon_lat(hole) for hole in holes])
    if not polygon.is_valid:
        raise _Refused(why_invalid(polygon), "a polygon whose edges do not cross")


def _lon_lat(ring: tuple[LatLon, ...]) -> list[tuple[float, float]]:
    return [(place.lon_deg, place.lat_deg) for place in ring]


def why_invalid(polygon: Polygon) -> str:
    """Return what is wrong with a polygon in degrees, and where."""
    reason, _, at = explain_validity(polygon).partition("[")
    what = _WRONG.get(str(reason), str(reason).lower())
    numbers = [float(part) for part in at.rstrip("]").split()]
    if len(numbers) < 2 or math.isnan(numbers[0]):
        return what
    return f"{what} at latitude {numbers[1]:.6f}, longitude {numbers[0]:.6f}"


_WRONG = {
    "Self-intersection": "edges that cross",
    "Ring Self-intersection": "a ring that touches itself",
    "Hole lies outside shell": "a hole that lies outside",
    "Holes are nested": "a hole inside a hole",
}


def _places(coordinates: Any, to_wgs84: Transformer | None) -> tuple[LatLon, ...]:
    try:
        pairs = [(float(x), float(y)) for x, y, *_ in coordinates]
    except (TypeError, ValueError):
        raise _Refused("coordinates that are no numbers", "a list of [longitude, latitude]") from None
    places = []
    for x, y in pairs:
        lon, lat = to_wgs84.transform(x, y) if to_wgs84 is not None else (x, y)
        try:
            places.append(LatLon(float(lat), float(lon)))
        except BadPlace as error:
            found = str(error).partition(":")[0]
            raise _Refused(found, "GeoJSON order: longitude, latitude") from None
    return tuple(places)
