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

from missions.errors import InputWrong
from missions.geo import Area, BadPlace, LatLon

NAME_FIELDS = ("name", "tower", "number", "no", "id", "title", "杆塔号", "塔号", "名称")
LINE_FIELDS = ("line", "line_name", "linename", "circuit", "线路", "线路名称")
CSV_X, CSV_Y = "lon,lng,long,longitude,lon_deg,x,经度", "lat,latitude,lat_deg,y,纬度"


@dataclass(frozen=True, slots=True)
class SurveyedLine:
    """A line's name and its towers in order, each with its number."""

    name: str
    towers: tuple[tuple[str, LatLon], ...]


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
    for geometry, fields in _features(path):
        name = _field(fields, NAME_FIELDS)
        for part in _parts(geometry):
            if part.geom_type == "Point":
                line = _field(fields, LINE_FIELDS) or path.stem
                loose[line].append((name or str(len(loose[line]) + 1), _place(path, part.x, part.y)))
            elif part.geom_type == "LineString":
                places = [_place(path, x, y) for x, y, *_ in part.coords]
                numbered = tuple((str(i + 1), place) for i, place in enumerate(places))
                lines.append(SurveyedLine(name or f"line {len(lines) + 1}", numbered))
            elif part.geom_type == "Polygon":
                ring = tuple(_place(path, x, y) for x, y, *_ in part.exterior.coords[:-1])
                areas.append((name or f"area {len(areas) + 1}", Area(ring)))
    lines += [SurveyedLine(name, _in_order(towers)) for name, towers in loose.items() if len(towers) > 1]
    if not lines and not areas:
        raise InputWrong(f"{path}: found nothing to watch, expected two towers or more, a line or a polygon")
    return Survey(tuple(lines), tuple(areas))


def _features(path: Path) -> Iterator[tuple[BaseGeometry, Mapping[str, Any]]]:
    options = {"X_POSSIBLE_NAMES": CSV_X, "Y_POSSIBLE_NAMES": CSV_Y} if path.suffix.lower() == ".csv" else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            layers = [str(row[0]) for row in pyogrio.list_layers(path)]
            tables = [pyogrio.raw.read(path, layer=layer, **options) for layer in layers]
    except (DataSourceError, DataLayerError) as error:
        raise InputWrong(f"{path}: cannot be read as KML, GeoJSON, Shapefile or CSV ({error})") from None
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


def _in_order(towers: list[tuple[str, LatLon]]) -> tuple[tuple[str, LatLon], ...]:
    """Return the towers by the last number in their names, as they came where one has none."""
    numbers = [re.findall(r"\d+", name) for name, _ in towers]
    if not all(numbers):
        return tuple(towers)
    order = sorted(range(len(towers)), key=lambda i: int(numbers[i][-1]))
    return tuple((numbers[i][-1], towers[i][1]) for i in order)


def _place(path: Path, lon: float, lat: float) -> LatLon:
    try:
        return LatLon(lat, lon)
    except BadPlace as error:
        raise InputWrong(f"{path}: {error}") from None
