"""Places in the words of the people who work there: line and towers, chainage and bank, compartment, village.

A duty officer does not know latitudes. The wording starts with what a place is
on (a line's span, a river's bank, a forest compartment, a village) and adds a
second layer where it helps; only a place that is near nothing named gets its
coordinates. A tower side is the Chinese line patrol's: metres from the nearer
tower of the span, "small-number side" when that is the lower number.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from shapely.geometry import LineString, Point

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
    frame = LocalFrame(place)
    on = sorted(
        [
            *(_on_line(line, frame, language) for line in layers.lines),
            *(_on_river(river, frame, language) for river in layers.rivers),
            *(_inside(area, frame, language) for area in (*layers.compartments, *layers.villages)),
        ],
        key=lambda part: part.rank if part else math.inf,
    )
    parts = [part.words for part in on if part][:MOST_PARTS]
    if not parts:
        parts = list(_nearest(layers, frame, language))
    if not parts:
        return text("places.nothing", language, lat_deg=place.lat_deg, lon_deg=place.lon_deg)
    if len(parts) == 1:
        return parts[0]
    return text("places.joined", language, first=parts[0], second=parts[1])


def describe_all(place: LatLon, layers: ReferenceLayers) -> dict[str, str]:
    """Return the wording in every language we have."""
    return {language: describe(place, layers, language) for language in LANGUAGES}


def _on_line(line: PowerLine, frame: LocalFrame, language: str) -> _Part | None:
    spans = [
        (LineString([frame.to_local(a[1]), frame.to_local(b[1])]), a[0], b[0])
        for a, b in zip(line.towers, line.towers[1:], strict=False)
    ]
    if not spans:
        return None
    here = Point(0, 0)
    span, small, large = min(spans, key=lambda s: s[0].distance(here))
    off_m = span.distance(here)
    if off_m > LINE_REACH_M:
        return None
    along_m = span.project(here)
    on_small_side = along_m <= span.length / 2
    name = named(line.name, language)
    voltage = f"{line.voltage_kv:g}"
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


def _on_river(river: River, frame: LocalFrame, language: str) -> _Part | None:
    line, here = frame.line(river.line), Point(0, 0)
    off_m = line.distance(here)
    if off_m > RIVER_REACH_M + river.half_width_m:
        return None
    along_m = line.project(here)
    chainage_m = round(river.chainage_m + along_m)
    if off_m <= river.half_width_m:
        bank = "places.in_water"
    else:
        bank = "places.left_bank" if _is_left(line, along_m) else "places.right_bank"
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


def _is_left(line: LineString, along_m: float) -> bool:
    """Return whether the frame's origin lies left of the line, looking downstream."""
    behind = line.interpolate(max(along_m - 1.0, 0.0))
    ahead = line.interpolate(min(along_m + 1.0, line.length))
    east, north = ahead.x - behind.x, ahead.y - behind.y
    return bool(east * -behind.y - north * -behind.x > 0)


def _inside(area: NamedArea, frame: LocalFrame, language: str) -> _Part | None:
    if not frame.polygon(area.area).covers(Point(0, 0)):
        return None
    # Being inside a compartment says less than being at a tower, more than being 50 m from one.
    return _Part(50.0, text(f"places.{area.kind}", language, name=named(area.name, language)))


def _nearest(layers: ReferenceLayers, frame: LocalFrame, language: str) -> Iterator[str]:
    """Yield the nearest named area's wording, if one is near at all."""
    here = Point(0, 0)
    areas = [(frame.polygon(a.area), a) for a in (*layers.villages, *layers.compartments)]
    if not areas:
        return
    polygon, area = min(areas, key=lambda pair: pair[0].distance(here))
    distance_m = polygon.distance(here)
    if distance_m > NEAR_REACH_M:
        return
    middle = polygon.centroid
    # From the area to the place: the place is the origin of the frame.
    bearing = math.degrees(math.atan2(-middle.x, -middle.y)) % 360
    yield text(
        f"places.{area.kind}_near",
        language,
        metres=round(distance_m),
        direction=text(f"places.direction_{round(bearing / 45) % 8}", language),
        name=named(area.name, language),
    )
