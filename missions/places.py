"""Places in the words of the people who work there: line and towers, chainage and bank, compartment, village.

A duty officer does not know latitudes. The wording starts with what a place is
on (a line's span, a river's bank, a forest compartment, a village) and adds a
second layer where it helps; only a place that is near nothing named gets its
coordinates. A tower side is the Chinese line patrol's: metres from the nearer
tower of the span, "small-number side" when that is the lower number.

The layers are turned into metres once and kept, in one frame for all of them:
100 km from its origin a length is 1 part in 8,000 too long, which no wording shows.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import LineString, Point, Polygon

from missions.geo import LatLon, LocalFrame
from missions.model import NamedArea, PowerLine, ReferenceLayers, River
from missions.words import LANGUAGES, named, text

# A line's own ground: the protected strip of 110-500 kV lines is 10-20 m a side, people speak of
# "at the line" well beyond it; a river's bank likewise.
LINE_REACH_M = 120.0
RIVER_REACH_M = 150.0
NEAR_REACH_M = 1000.0
ON_THE_LINE_M = 15.0
MOST_PARTS = 2


@dataclass(frozen=True, slots=True)
class _Part:
    rank: float  # smaller is more telling
    words: str


def describe(place: LatLon, layers: ReferenceLayers, language: str = "en-US") -> str:
    """Return where a place is, in the site's own names.

    At most two layers are named, the most telling first; a place more than 1 km
    from everything named is given in degrees.
    """
    known = _known(_Same(layers))
    parts = _parts(known, Point(known.frame.to_local(place)), language) if known else []
    if not parts:
        return text("places.nothing", language, lat_deg=place.lat_deg, lon_deg=place.lon_deg)
    if len(parts) == 1:
        return parts[0]
    return text("places.joined", language, first=parts[0], second=parts[1])


def describe_all(place: LatLon, layers: ReferenceLayers) -> dict[str, str]:
    """Return the wording in every language we have."""
    return {language: describe(place, layers, language) for language in LANGUAGES}


def _parts(known: "_Known", here: Point, language: str) -> list[str]:
    """Return what a place is on, the most telling first, or else what it is near."""
    found = [
        *(_on_line(line, here, language) for line in known.lines),
        *(_on_river(river, here, language) for river in known.rivers),
        *(_inside(area, here, language) for area in (*known.compartments, *known.villages)),
    ]
    on = sorted((part for part in found if part), key=lambda part: part.rank)
    if on:
        return [part.words for part in on][:MOST_PARTS]
    return list(_nearest(known, here, language)) or _off(known, here, language)


def _off(known: "_Known", here: Point, language: str) -> list[str]:
    """Return the line or river that a place without any named area around is nearest to, if one is near."""
    found = [
        *(_on_line(line, here, language, reach_m=NEAR_REACH_M) for line in known.lines),
        *(_on_river(river, here, language, reach_m=NEAR_REACH_M) for river in known.rivers),
    ]
    nearest = min((part for part in found if part), key=lambda part: part.rank, default=None)
    return [nearest.words] if nearest else []


@dataclass(frozen=True, slots=True)
class _Line:
    layer: PowerLine
    spans: npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Water:
    layer: River
    line: LineString


@dataclass(frozen=True, slots=True)
class _Ground:
    layer: NamedArea
    polygon: Polygon


@dataclass(frozen=True, slots=True)
class _Known:
    """All reference layers in metres east and north of one origin."""

    frame: LocalFrame
    lines: tuple[_Line, ...]
    rivers: tuple[_Water, ...]
    compartments: tuple[_Ground, ...]
    villages: tuple[_Ground, ...]


def _on_line(line: _Line, here: Point, language: str, *, reach_m: float = LINE_REACH_M) -> _Part | None:
    if not len(line.spans):
        return None
    nearest = int(shapely.distance(line.spans, here).argmin())
    span = line.spans[nearest]
    (small, _), (large, _) = line.layer.towers[nearest : nearest + 2]
    off_m = span.distance(here)
    if off_m > reach_m:
        return None
    along_m = span.project(here)
    on_small_side = along_m <= span.length / 2
    name = named(line.layer.name, language)
    voltage = f"{line.layer.voltage_kv:g}"
    key = "places.line_named" if voltage in name else "places.line"
    words = text(
        key,
        language,
        voltage=voltage,
        line=name,
        small=small,
        large=large,
        metres=round(along_m if on_small_side else span.length - along_m),
        side=text("places.side_small" if on_small_side else "places.side_large", language),
    )
    if off_m > ON_THE_LINE_M:
        words = text("places.line_off", language, span=words, metres=round(off_m))
    return _Part(off_m, words)


def _on_river(water: _Water, here: Point, language: str, *, reach_m: float = RIVER_REACH_M) -> _Part | None:
    line, river = water.line, water.layer
    off_m = line.distance(here)
    if off_m > reach_m + river.half_width_m:
        return None
    along_m = line.project(here)
    chainage_m = round(river.chainage_m + along_m)
    if off_m <= river.half_width_m:
        bank = "places.in_water"
    else:
        bank = "places.left_bank" if _is_left(line, along_m, here) else "places.right_bank"
    words = text(
        "places.river",
        language,
        river=named(river.name, language),
        kilometre=chainage_m // 1000,
        metres=chainage_m % 1000,
        bank=text(bank, language),
    )
    from_water_m = off_m - river.half_width_m
    if from_water_m > ON_THE_LINE_M:
        words = text("places.river_off", language, chainage=words, metres=round(from_water_m))
    return _Part(max(from_water_m, 0.0), words)


def _is_left(line: LineString, along_m: float, here: Point) -> bool:
    """Return whether a place lies left of the line, looking downstream."""
    behind = line.interpolate(max(along_m - 1.0, 0.0))
    ahead = line.interpolate(min(along_m + 1.0, line.length))
    east, north = ahead.x - behind.x, ahead.y - behind.y
    return bool(east * (here.y - behind.y) - north * (here.x - behind.x) > 0)


def _inside(ground: _Ground, here: Point, language: str) -> _Part | None:
    if not ground.polygon.covers(here):
        return None
    area = ground.layer
    # Being inside a compartment says less than being at a tower, more than being 50 m from one.
    return _Part(50.0, text(f"places.{area.kind}", language, name=named(area.name, language)))


def _nearest(known: _Known, here: Point, language: str) -> Iterator[str]:
    """Yield the nearest named area's wording, if one is near at all."""
    areas = (*known.villages, *known.compartments)
    if not areas:
        return
    ground = min(areas, key=lambda area: area.polygon.distance(here))
    distance_m = ground.polygon.distance(here)
    if distance_m > NEAR_REACH_M:
        return
    middle, area = ground.polygon.centroid, ground.layer
    # From the area to the place.
    bearing = math.degrees(math.atan2(here.x - middle.x, here.y - middle.y)) % 360
    yield text(
        f"places.{area.kind}_near",
        language,
        metres=round(distance_m),
        direction=text(f"places.direction_{round(bearing / 45) % 8}", language),
        name=named(area.name, language),
    )


class _Same:
    """Layers as a dictionary key: the same object, not an equal one."""

    __slots__ = ("layers",)

    def __init__(self, layers: ReferenceLayers) -> None:
        self.layers = layers

    def __hash__(self) -> int:
        return id(self.layers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.layers is self.layers


@lru_cache(maxsize=16)
def _known(key: _Same) -> _Known | None:
    """Return the layers in metres, None where there are none."""
    layers = key.layers
    origin = next(_places(layers), None)
    if origin is None:
        return None
    frame = LocalFrame(origin)
    return _Known(
        frame,
        tuple(_Line(line, _spans(line, frame)) for line in layers.lines),
        tuple(_Water(river, frame.line(river.line)) for river in layers.rivers),
        tuple(_Ground(area, frame.polygon(area.area)) for area in layers.compartments),
        tuple(_Ground(area, frame.polygon(area.area)) for area in layers.villages),
    )


def _places(layers: ReferenceLayers) -> Iterator[LatLon]:
    yield from (place for line in layers.lines for _, place in line.towers)
    yield from (place for river in layers.rivers for place in river.line)
    yield from (place for area in (*layers.compartments, *layers.villages) for place in area.area.outer)


def _spans(line: PowerLine, frame: LocalFrame) -> npt.NDArray[Any]:
    """Return a line's spans, tower to tower, as an array of shapely lines."""
    if len(line.towers) < 2:
        return np.array([], dtype=object)
    towers = np.array([frame.to_local(place) for _, place in line.towers])
    return np.asarray(shapely.linestrings(np.stack([towers[:-1], towers[1:]], axis=1)))
