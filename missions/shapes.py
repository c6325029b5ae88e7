"""The shapes beside a site file: a GeoJSON whose features are named by their `id` property."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyproj import Transformer
from shapely.geometry import LineString, Polygon
from shapely.geometry import shape as geometry_of
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
            features = json.loads(path.read_text(encoding="utf-8"))["features"]
        except OSError as error:
            raise InputWrong(f"{path}: cannot be read ({error.strerror})") from None
        except (ValueError, KeyError, TypeError):
            raise InputWrong(f"{path}: found no GeoJSON, expected a FeatureCollection of shapes") from None
        found: dict[str, Shape] = {}
        for i, feature in enumerate(features):
            name = _name(path, i, feature)
            if name in found:
                raise SiteWrong(f"{path}: shape {name!r}", "its name a second time", "each name once")
            found[name] = _shape(f"{path}: shape {name!r}", feature, to_wgs84)
        return cls(str(path), found)

    def get(self, name: str) -> Shape | None:
        """Return the shape of this name, or None."""
        return self.by_id.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_id)


def _name(path: Path, i: int, feature: Mapping[str, Any]) -> str:
    name = (feature.get("properties") or {}).get("id", feature.get("id"))
    if name is None:
        raise SiteWrong(f"{path}: feature {i + 1}", "no `id` property", "a name by which the site file calls it")
    return str(name)


def _shape(where: str, feature: Mapping[str, Any], to_wgs84: Transformer | None) -> Shape:
    try:
        geometry = geometry_of(feature["geometry"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise SiteWrong(where, f"a geometry that cannot be read ({error})", "a LineString or a Polygon") from None
    if isinstance(geometry, LineString):
        if geometry.length == 0:
            raise SiteWrong(where, "a line without length", "a line of two places or more")
        return Line(_places(where, geometry.coords, to_wgs84))
    if not isinstance(geometry, Polygon) or geometry.is_empty:
        raise SiteWrong(where, f"a {geometry.geom_type}", "a LineString or a Polygon")
    if not geometry.is_valid:
        raise SiteWrong(where, _why_invalid(geometry), "a polygon whose edges do not cross")
    rings = [geometry.exterior, *geometry.interiors]
    outer, *holes = (_places(where, ring.coords[:-1], to_wgs84) for ring in rings)
    return Area(outer, tuple(holes))


def _why_invalid(polygon: Polygon) -> str:
    reason, _, at = explain_validity(polygon).partition("[")
    numbers = [float(part) for part in at.rstrip("]").split()]
    if reason == "Self-intersection" and len(numbers) >= 2 and not math.isnan(numbers[0]):
        return f"edges that cross at latitude {numbers[1]:.6f}, longitude {numbers[0]:.6f}"
    return str(reason).lower()


def _places(where: str, coordinates: Any, to_wgs84: Transformer | None) -> tuple[LatLon, ...]:
    places = []
    for x, y, *_ in coordinates:
        lon, lat = to_wgs84.transform(x, y) if to_wgs84 is not None else (x, y)
        try:
            places.append(LatLon(float(lat), float(lon)))
        except BadPlace as error:
            raise SiteWrong(where, str(error).partition(":")[0], "GeoJSON order: longitude, latitude") from None
    return tuple(places)
