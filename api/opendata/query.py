"""What a caller asks of a collection: bounding box, time, a CQL2 filter, a reference system.

Filters are parsed and evaluated by the library `cql2`, on the features as they
are shown; a property that a collection has not is refused by name before.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import cql2
from pyproj import Transformer
from shapely import from_geojson
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from api.errors import BadRequest
from api.moments import EARLIEST, LATEST
from api.opendata.features import Collection, Feature

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_SYSTEMS = {
    CRS84: "OGC:CRS84",
    "http://www.opengis.net/def/crs/EPSG/0/4326": "EPSG:4326",
    "http://www.opengis.net/def/crs/EPSG/0/4490": "EPSG:4490",  # CGCS2000
    "http://www.opengis.net/def/crs/EPSG/0/3857": "EPSG:3857",
}
SYSTEMS = tuple(_SYSTEMS)
LANGUAGES = ("cql2-text", "cql2-json")
_ALWAYS = ("id", "geometry")


class BadQuery(BadRequest):
    """A parameter of a query cannot be read; the standards of open data want 400 for that."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which features of a collection a caller asks for. Times end included; None is open."""

    box: BaseGeometry | None = None
    since: datetime | None = None
    until: datetime | None = None
    filter: cql2.Expr | None = None
    equals: tuple[tuple[str, str], ...] = ()

    def takes(self, feature: Feature) -> bool:
        """Return whether a feature is asked for; a filter over something unknown (null) does not hold."""
        properties = feature["properties"]
        if any(str(properties.get(name)) != value for name, value in self.equals):
            return False
        if self.box is not None and not _meets(feature, self.box):
            return False
        if self.filter is None:
            return True
        try:
            return bool(self.filter.matches(_for_filter(feature)))
        except Exception:  # the library has no class of its own for a comparison with null
            return False


def wanted(
    collection: Collection,
    *,
    bbox: str | None = None,
    bbox_crs: str | None = None,
    datetime_: str | None = None,
    filter_: str | None = None,
    filter_lang: str | None = None,
    equals: Mapping[str, str] | None = None,
) -> Wanted:
    """Return what the parameters of a request ask for.

    Raises:
        BadQuery: one of them cannot be read, or names a property that is not there.
    """
    since, until = interval(datetime_) if datetime_ else (None, None)
    return Wanted(
        box=bbox_of(bbox, bbox_crs or CRS84) if bbox else None,
        since=since,
        until=until,
        filter=expression(filter_, filter_lang or LANGUAGES[0], collection.columns) if filter_ else None,
        equals=tuple((equals or {}).items()),
    )


def expression(text: str, language: str, columns: Iterable[str]) -> cql2.Expr:
    """Return a parsed filter.

    Raises:
        BadQuery: it is no CQL2, or names a property that is not there.
    """
    if language not in LANGUAGES:
        raise BadQuery(f"filter-lang: found {language!r}, expected {' or '.join(LANGUAGES)}")
    try:
        parsed = cql2.parse_text(text) if language == LANGUAGES[0] else cql2.parse_json(text)
        named = set(_properties(parsed.to_json()))
    except (cql2.ParseError, cql2.ValidationError, ValueError, TypeError) as error:
        raise BadQuery(f"filter: this is no {language}: {str(error).splitlines()[0]}") from None
    if unknown := named - {*columns, *_ALWAYS}:
        raise BadQuery(f"filter: there is no {', '.join(sorted(unknown))}; there is {', '.join(columns)}")
    return parsed


def interval(text: str) -> tuple[datetime | None, datetime | None]:
    """Return the ends of a time or an interval as RFC 3339 writes them, ".." for an open end.

    Raises:
        BadQuery: it is neither.
    """
    begin, slash, end = text.partition("/")
    try:
        ends = [None if part in ("", "..") else datetime.fromisoformat(part) for part in (begin, end)]
    except ValueError:
        raise BadQuery(f"datetime: found {text!r}, expected 2026-06-01T02:00:00Z or FROM/TO") from None
    since, until = ends if slash else (ends[0], ends[0])
    if any(at is not None and at.tzinfo is None for at in (since, until)):
        raise BadQuery(f"datetime: {text!r} has no zone, expected as 2026-06-01T02:00:00Z")
    if any(at is not None and not EARLIEST <= at < LATEST for at in (since, until)):
        raise BadQuery(f"datetime: found {text!r}, expected times from 1970 to 2999")
    if since and until and since > until:
        raise BadQuery(f"datetime: {text!r} ends before it begins")
    return since, until


def bbox_of(text: str, system: str) -> BaseGeometry:
    """Return a bounding box, in longitude and latitude, of four numbers (or six, heights left out).

    Raises:
        BadQuery: it is none, or is in a system we do not know.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 6:
        numbers = [numbers[0], numbers[1], numbers[3], numbers[4]]
    if len(numbers) != 4 or not all(abs(n) < 1e9 for n in numbers):
        raise BadQuery(f"bbox: found {text!r}, expected four numbers WEST,SOUTH,EAST,NORTH")
    xs, ys = _transformer(_known(system), "OGC:CRS84").transform(numbers[::2], numbers[1::2])
    if not all(map(math.isfinite, (*xs, *ys))) or min(ys) != ys[0]:
        raise BadQuery(f"bbox: {text!r} is off the map or has its corners the wrong way round")
    if xs[0] <= xs[1]:
        return box(xs[0], ys[0], xs[1], ys[1])
    return box(xs[0], ys[0], 180.0, ys[1]).union(box(-180.0, ys[0], xs[1], ys[1]))


def in_system(feature: Feature, system: str) -> Feature:
    """Return a feature with its coordinates in another reference system, in that system's axis order.

    Raises:
        BadQuery: we do not know the system.
    """
    name = _known(system)
    if name == "OGC:CRS84" or feature["geometry"] is None:
        return feature
    geometry = feature["geometry"]
    moved = _moved(geometry["coordinates"], _transformer("OGC:CRS84", name))
    return {**feature, "geometry": {**geometry, "coordinates": moved}}


def _known(system: str) -> str:
    if system not in _SYSTEMS:
        raise BadQuery(f"crs: found {system!r}, expected one of {', '.join(SYSTEMS)}")
    return _SYSTEMS[system]


@cache
def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(source, target)


def _moved(coordinates: Any, transformer: Transformer) -> Any:
    if isinstance(coordinates[0], int | float):
        return [round(value, 9) for value in transformer.transform(*coordinates[:2])]
    return [_moved(part, transformer) for part in coordinates]


def _meets(feature: Feature, area: BaseGeometry) -> bool:
    geometry = feature["geometry"]
    return geometry is not None and bool(from_geojson(json.dumps(geometry)).intersects(area))


def _for_filter(feature: Feature) -> Feature:
    geometry = feature["geometry"] or {"type": "GeometryCollection", "geometries": []}
    return {**feature, "geometry": geometry}


def _properties(node: Any) -> Iterable[str]:
    """Yield the names of all properties in a CQL2 JSON tree."""
    if isinstance(node, dict):
        if isinstance(node.get("property"), str):
            yield node["property"]
        for value in node.values():
            yield from _properties(value)
    elif isinstance(node, list):
        for value in node:
            yield from _properties(value)
