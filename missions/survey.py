"""Lines, towers and areas out of the files that people have: KML, GeoJSON, Shapefile, CSV.

GDAL reads them (through pyogrio); here their features are sorted into power
lines and areas. Points are towers: grouped by a column that names the line, put
in order by the number in their own name, else as they stand in the file.
"""

import re
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS, Transformer
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from missions.errors import InputWrong
from missions.geo import Area, BadPlace, LatLon
from missions.shapes import why_invalid

NAME_FIELDS = ("name", "tower", "number", "no", "id", "title", "杆塔号", "塔号", "名称")
VOLTAGE_FIELDS = ("voltage_kv", "voltage", "kv", "电压等级", "电压")
LINE_FIELDS = ("line", "line_name", "linename", "circuit", "线路", "线路名称")
CSV_X, CSV_Y = "lon,lng,long,longitude,lon_deg,x,经度", "lat,latitude,lat_deg,y,纬度"


@dataclass(frozen=True, slots=True)
class SurveyedLine:
    """A line's name and its towers in order, each with its number; None where no voltage is told."""

    name: str
    towers: tuple[tuple[str, LatLon], ...]
    voltage_kv: float | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file holds that can be watched."""

    lines: tuple[SurveyedLine, ...]
    areas: tuple[tuple[str, Area], ...]


def read_survey(path: Path) -> Survey:
    """Return the lines and areas of a file, all layers of it together.

    Raises:
        InputWrong: GDAL cannot read it, it has no places, or its places are on no map.
    """
    lines: list[SurveyedLine] = []
    areas: list[tuple[str, Area]] = []
    loose: dict[str, list[tuple[str, LatLon]]] = defaultdict(list)
    voltages: dict[str, float | None] = {}
    for geometry, fields in _features(path):
        name = _field(fields, NAME_FIELDS)
        for part in _parts(_mended(geometry)):
            _check(path, name, part)
            if part.geom_type == "Point":
                line = _field(fields, LINE_FIELDS) or path.stem
                voltages[line] = voltages.get(line) or _voltage_kv(fields, line)
                loose[line].append((name or str(len(loose[line]) + 1), _place(path, part.x, part.y)))
            elif part.geom_type == "LineString":
                places = [_place(path, x, y) for x, y, *_ in part.coords]
                numbered = tuple((str(i + 1), place) for i, place in enumerate(places))
                called = name or f"line {len(lines) + 1}"
                lines.append(SurveyedLine(called, numbered, _voltage_kv(fields, called)))
            elif part.geom_type == "Polygon":
                rings = (part.exterior, *part.interiors)
                outer, *holes = (tuple(_place(path, x, y) for x, y, *_ in ring.coords[:-1]) for ring in rings)
                areas.append((name or f"area {len(areas) + 1}", Area(outer, tuple(holes))))
    lines += [
        SurveyedLine(line, _in_order(towers), voltages[line])
        for line, towers in loose.items()
        if len(towers) > 1
    ]
    if not lines and not areas:
        raise InputWrong(f"{path}: found nothing to watch, expected two towers or more, a line or a polygon")
    return Survey(tuple(lines), tuple(areas))


def _mended(geometry: BaseGeometry) -> BaseGeometry:
    """Return the geometry with rings that touch themselves in a point split there.

    Forest offices publish such rings, and what they enclose is in no doubt; edges that cross leave it open.
    """
    touches = "Polygon" in geometry.geom_type and explain_validity(geometry).startswith("Ring Self-")
    return shapely.make_valid(geometry) if touches else geometry


def _check(path: Path, name: str | None, part: BaseGeometry) -> None:
    what = f"{path}: {part.geom_type.lower()} {name or 'without a name'}"
    if part.geom_type == "Polygon" and not part.is_valid:
        raise InputWrong(
            f"{what}: found {why_invalid(part)}, expected a simple polygon (QGIS: Fix geometries)"
        )
    if part.geom_type == "LineString" and part.length == 0:
        raise InputWrong(f"{what}: found a line without length, expected two places or more")


def _features(path: Path) -> Iterator[tuple[BaseGeometry, Mapping[str, Any]]]:
    options = {"X_POSSIBLE_NAMES": CSV_X, "Y_POSSIBLE_NAMES": CSV_Y} if path.suffix.lower() == ".csv" else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            layers = [str(row[0]) for row in pyogrio.list_layers(path)]
            tables = [pyogrio.raw.read(path, layer=layer, **options) for layer in layers]
    except (DataSourceError, DataLayerError) as error:
        reason = str(error).partition(";")[0]  # behind it is advice to programmers
        raise InputWrong(f"{path}: cannot be read as KML, GeoJSON, Shapefile or CSV ({reason})") from None
    except UnicodeDecodeError:
        raise InputWrong(f"{path}: found names that are not UTF-8, expected UTF-8 text") from None
    for meta, _, shapes, columns in tables:
        if shapes is None:
            raise InputWrong(f"{path}: found no places, expected columns named lat and lon")
        geometries = _in_wgs84(shapely.from_wkb(shapes), meta.get("crs"))
        for i, geometry in enumerate(geometries):
            if geometry is not None and not geometry.is_empty:
                yield geometry, {str(k): c[i] for k, c in zip(meta["fields"], columns, strict=True)}


def _in_wgs84(geometries: Any, crs: str | None) -> Any:
    if crs is None or CRS.from_user_input(crs).to_epsg() == 4326:
        return geometries
    to_wgs84 = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    return shapely.transform(geometries, lambda xy: np.column_stack(to_wgs84.transform(xy[:, 0], xy[:, 1])))


def _parts(geometry: BaseGeometry) -> list[BaseGeometry]:
    return [part for g in getattr(geometry, "geoms", [geometry]) for part in getattr(g, "geoms", [g])]


def _field(fields: Mapping[str, Any], wanted: tuple[str, ...]) -> str | None:
    known = {key.lower(): value for key, value in fields.items()}
    found = (known[key] for key in wanted if known.get(key) not in (None, ""))
    return next((str(value) for value in found), None)


def _voltage_kv(fields: Mapping[str, Any], line: str) -> float | None:
    """Return the voltage that a column or the line's own name tells; OpenStreetMap's columns hold volts."""
    in_column = re.search(r"\d+(\.\d+)?", _field(fields, VOLTAGE_FIELDS) or "")
    in_name = re.search(r"(\d+(\.\d+)?)\s*(kV|千伏)", line, re.IGNORECASE)
    told = float(in_column[0]) if in_column else float(in_name[1]) if in_name else 0.0
    return (told / 1000 if told > 2000 else told) or None


def _in_order(towers: list[tuple[str, LatLon]]) -> tuple[tuple[str, LatLon], ...]:
    """Return the towers by the last number in their names; counted as they came where those do not tell."""
    found = [re.findall(r"\d+", name) for name, _ in towers]
    if not all(found):
        return tuple(towers)
    numbers = [int(digits[-1]) for digits in found]
    if len(set(numbers)) < len(numbers):
        return tuple((str(i), place) for i, (_, place) in enumerate(towers, start=1))
    order = sorted(range(len(towers)), key=numbers.__getitem__)
    return tuple((found[i][-1], towers[i][1]) for i in order)


def _place(path: Path, lon: float, lat: float) -> LatLon:
    try:
        return LatLon(lat, lon)
    except BadPlace as error:
        raise InputWrong(f"{path}: {error}") from None
