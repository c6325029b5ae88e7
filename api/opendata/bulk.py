"""Features as files: GeoJSON, GeoPackage and CSV, written by GDAL through pyogrio."""

import csv
import io
import json
import tempfile
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import numpy as np
import pyogrio.raw
from shapely import from_geojson, get_type_id, to_wkb
from shapely.geometry.base import BaseGeometry

from api.opendata.features import Collection, Feature

MOST = 200_000
"""Features in one file; ask for less time or area where there are more."""

_GEOMETRIES = {0: "Point", 1: "LineString", 3: "Polygon"}


class Format(StrEnum):
    """What a file is, by its ending."""

    GEOJSON = "geojson"
    GPKG = "gpkg"
    CSV = "csv"


MEDIA = {
    Format.GEOJSON: "application/geo+json",
    Format.GPKG: "application/geopackage+sqlite3",
    Format.CSV: "text/csv; charset=utf-8",
}


def written(collection: Collection, found: Sequence[Feature], kind: Format) -> bytes:
    """Return features as the bytes of a file."""
    match kind:
        case Format.GEOJSON:
            whole = {"type": "FeatureCollection", "name": collection.id, "features": list(found)}
            return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()
        case Format.CSV:
            return _csv(collection, found)
        case Format.GPKG:
            return _geopackage(collection, found)


def _csv(collection: Collection, found: Sequence[Feature]) -> bytes:
    """A line a feature, its middle as latitude and longitude; what a spreadsheet would run is quoted."""
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow(["id", "lat_deg", "lon_deg", *collection.columns])
    for feature in found:
        shape = _shape(feature)
        middle = shape.centroid if shape is not None else None
        place = (
            [f"{middle.y:.7f}", f"{middle.x:.7f}"] if middle is not None and not middle.is_empty else ["", ""]
        )
        properties = [_plain(feature["properties"].get(column)) for column in collection.columns]
        lines.writerow([feature["id"], *place, *properties])
    return out.getvalue().encode("utf-8-sig")


def _plain(value: object) -> object:
    """Return a value that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _geopackage(collection: Collection, found: Sequence[Feature]) -> bytes:
    shapes = [_shape(feature) for feature in found]
    kinds = {int(get_type_id(shape)) for shape in shapes if shape is not None}
    columns = ["id", *collection.columns]
    values = [
        np.array(
            [feature["id"] if c == "id" else feature["properties"].get(c) for feature in found], dtype=object
        )
        for c in columns
    ]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{collection.id}.gpkg"
        pyogrio.raw.write(
            file,
            np.array([None if shape is None else to_wkb(shape) for shape in shapes], dtype=object),
            [_column(v, collection.columns.get(c, "string")) for c, v in zip(columns, values, strict=True)],
            np.array(columns, dtype=object),
            layer=collection.id,
            driver="GPKG",
            geometry_type=_GEOMETRIES[kinds.pop()] if len(kinds) == 1 else "Unknown",
            crs="EPSG:4326",
        )
        return file.read_bytes()


def _column(values: np.ndarray, kind: str) -> np.ndarray:
    """Return a column as GDAL takes it: numbers with NaN for what is not known, all else as text."""
    if kind in ("number", "integer"):
        return np.array([np.nan if value is None else float(value) for value in values], dtype=float)
    return np.array([None if value is None else str(value) for value in values], dtype=object)


def _shape(feature: Feature) -> BaseGeometry | None:
    geometry = feature["geometry"]
    return None if geometry is None else from_geojson(json.dumps(geometry))
