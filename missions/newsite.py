"""A site file made from what a line owner has: towers and a terrain.

What it writes plans as it stands and is meant to be edited: one agency, one
demand for each line and area, docks at towers so that none is further than a
flight away.
"""

import itertools
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from shapely.geometry import MultiPoint, Polygon

from missions.errors import GridpatrolError, InputWrong
from missions.geo import Area, LatLon, LocalFrame, distance_m
from missions.model import Site
from missions.site import load_site
from missions.survey import Survey, SurveyedLine, read_survey
from missions.terrain import Terrain

# A drone with half an hour of flight looks at about 6 km of line around its dock and comes home.
DOCK_EVERY_M = 6000.0
CORRIDOR_HALF_WIDTH_M = 40.0
GROUND_AROUND_M = 200.0
HEIGHT_M = 100
# Taken where neither a column nor the line's name tells one: the commonest line with docks on it.
VOLTAGE_KV = 110.0
DRONE_MODEL: dict[str, Any] = {
    "cruise_m_s": 12,
    "climb_m_s": 4,
    "descent_m_s": 3,
    "battery_wh": 500,
    "hover_w": 520,
    "climb_w": 700,
    "cruise_w": 480,
    "descent_w": 450,
    "reserve": 0.25,
    "max_wind_m_s": 12,
    "cameras": [
        {"name": "GP-1 T", "sensor": "thermal", "width_px": 640, "height_px": 512}
        | {"focal_mm": 9.1, "sensor_width_mm": 7.68},
        {"name": "GP-1 W", "sensor": "rgb", "width_px": 1280, "height_px": 960}
        | {"focal_mm": 4.5, "sensor_width_mm": 4.8},
    ],
}


@dataclass(slots=True)
class _Shapes:
    features: list[dict[str, Any]] = field(default_factory=list)

    def add_line(self, name: str, places: tuple[LatLon, ...]) -> str:
        return self._add(name, "LineString", _lon_lat(places))

    def add_area(self, name: str, area: Area) -> str:
        rings = [_lon_lat(ring) for ring in (area.outer, *area.holes)]
        return self._add(name, "Polygon", [[*ring, ring[0]] for ring in rings])

    def _add(self, name: str, kind: str, coordinates: list[Any]) -> str:
        geometry = {"type": kind, "coordinates": coordinates}
        self.features.append({"type": "Feature", "properties": {"id": name}, "geometry": geometry})
        return name


def _lon_lat(places: tuple[LatLon, ...]) -> list[list[float]]:
    return [[round(p.lon_deg, 7), round(p.lat_deg, 7)] for p in places]


def new_site(source: Path, dem: Path, out: Path, *, timezone: str | None = None) -> Site:
    """Write a site file and its shapes, and return the site as read back from them.

    Raises:
        InputWrong: the source or the terrain cannot be used, or a tower lies outside the terrain.
    """
    survey, terrain = read_survey(source), Terrain.open(dem)
    _check_ground(survey, terrain, source)
    shapes = _Shapes()
    root = _site(out.stem, survey, shapes, timezone)
    shapes_path = out.with_name(f"{out.stem}.shapes.geojson")
    root |= {"terrain": os.path.relpath(dem, out.parent), "shapes": shapes_path.name}
    collection = {"type": "FeatureCollection", "features": shapes.features}
    with _written({shapes_path: json.dumps(collection, ensure_ascii=False), out: _yaml(root)}):
        return load_site(out)


@contextmanager
def _written(texts: Mapping[Path, str]) -> Iterator[None]:
    """Write files, and put back what was there before if the work with them fails."""
    before = {path: path.read_bytes() if path.is_file() else None for path in texts}
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        yield
    except (GridpatrolError, OSError) as error:
        for path, earlier in before.items():
            if earlier is not None:
                path.write_bytes(earlier)
            elif path.is_file():
                path.unlink()
        if isinstance(error, OSError):
            raise InputWrong(
                f"--out: {error.filename} cannot be written ({error.strerror}): choose another file"
            ) from None
        raise


def _check_ground(survey: Survey, terrain: Terrain, source: Path) -> None:
    named = [(f"tower {n} of {line.name}", p) for line in survey.lines for n, p in line.towers]
    named += [(f"a corner of {name}", p) for name, area in survey.areas for p in area.outer]
    for what, place in named:
        if math.isnan(float(terrain.elevation_m(place.lat_deg, place.lon_deg))):
            west, south, east, north = terrain.bounds
            raise InputWrong(
                f"{source}: {what} at {place.lat_deg:.5f}, {place.lon_deg:.5f} lies outside {terrain.source} "
                f"(latitude {south:.4f} to {north:.4f}, longitude {west:.4f} to {east:.4f}): "
                "use an elevation model that covers it"
            )


def _site(name: str, survey: Survey, shapes: _Shapes, timezone: str | None) -> dict[str, Any]:
    places = [p for line in survey.lines for _, p in line.towers]
    places += [p for _, area in survey.areas for p in area.outer]
    frame = LocalFrame(places[0])
    ground = MultiPoint([frame.to_local(p) for p in places]).convex_hull.buffer(GROUND_AROUND_M)
    shapes.add_area("ground", frame.area(_simple(ground)))
    lines = [_line(i, line, shapes) for i, line in enumerate(survey.lines)]
    areas = [_area(i, area_name, area, shapes) for i, (area_name, area) in enumerate(survey.areas)]
    return {
        "id": _slug(name) or "site",
        "name": {"en-US": name},
        "timezone": timezone or _zone_by_longitude(places[0]),
        "input_crs": "EPSG:4326",
        "height_datum": "EGM96",
        "drone_models": {"GP-1": DRONE_MODEL},
        "docks": list(_docks(survey)),
        "agencies": [
            {
                "id": "power",
                "name": {"en-US": "Power company", "zh-CN": "供电公司"},
                "language": "en-US",
                "jurisdiction": ["ground"],
                "subscriptions": [{"hazards": ["fire", "smoke", "hot_joint"], "floor": "blue"}],
            }
        ],
        "demands": [demand for _, demand in (*lines, *areas)],
        "layers": {"lines": [layer for layer, _ in lines], "compartments": [layer for layer, _ in areas]},
    }


def _simple(ground: Any) -> Polygon:
    return Polygon(ground.exterior.simplify(5.0))


def _line(i: int, line: SurveyedLine, shapes: _Shapes) -> tuple[dict[str, Any], dict[str, Any]]:
    shape = shapes.add_line(f"line-{i + 1}", tuple(p for _, p in line.towers))
    layer: dict[str, Any] = {"id": shape, "name": {"en-US": line.name}, "shape": shape}
    layer["voltage_kv"] = line.voltage_kv or VOLTAGE_KV
    layer["tower_numbers"] = [number for number, _ in line.towers]
    return layer, _demand(f"watch-{shape}", {"shape": shape, "half_width_m": CORRIDOR_HALF_WIDTH_M})


def _area(i: int, name: str, area: Area, shapes: _Shapes) -> tuple[dict[str, Any], dict[str, Any]]:
    shape = shapes.add_area(f"area-{i + 1}", area)
    return {"id": shape, "name": {"en-US": name}, "shape": shape}, _demand(f"watch-{shape}", {"shape": shape})


def _demand(name: str, where: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": name,
        "agency": "power",
        "hazards": ["fire"],
        "where": where,
        "sensors": ["thermal", "rgb"],
        "height_m": HEIGHT_M,
        "revisit_min": 1440,
    }


def _docks(survey: Survey) -> Iterator[dict[str, Any]]:
    """Yield docks at the towers nearest the middles of equal pieces of each line."""
    stands = [place for line in survey.lines for place in _stands([p for _, p in line.towers])]
    # Crossing lines share a dock; an area alone gets one at its first corner.
    kept: list[LatLon] = []
    for place in stands or [area.outer[0] for _, area in survey.areas]:
        if all(distance_m(place, other) > DOCK_EVERY_M / 2 for other in kept):
            kept.append(place)
    for i, place in enumerate(kept, start=1):
        yield {
            "id": f"dock-{i}",
            "name": {"en-US": f"Dock {i}", "zh-CN": f"{i}号机巢"},
            "lat_deg": round(place.lat_deg, 7),
            "lon_deg": round(place.lon_deg, 7),
            "charge_min": 32,
            "max_wind_m_s": 10,
            "drones": [{"id": f"D{i}", "model": "GP-1", "system_id": i}],
        }


def _stands(towers: list[LatLon]) -> Iterator[LatLon]:
    along = [0.0]
    for a, b in itertools.pairwise(towers):
        along.append(along[-1] + distance_m(a, b))
    pieces = max(1, math.ceil(along[-1] / DOCK_EVERY_M))
    for piece in range(pieces):
        middle = along[-1] * (piece + 0.5) / pieces
        yield min(zip(towers, along, strict=True), key=lambda tower: abs(tower[1] - middle))[0]


def _zone_by_longitude(place: LatLon) -> str:
    """Return the zone of whole hours that the sun keeps here; IANA writes its sign the other way round."""
    hours = round(place.lon_deg / 15)
    return f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")


def _yaml(root: dict[str, Any]) -> str:
    writer = YAML()
    writer.allow_unicode = True
    writer.width = 110
    text = StringIO()
    writer.dump(root, text)
    return "# Made by gridpatrol new-site; meant to be edited.\n" + text.getvalue()
