"""Frames and baselines as STAC 1.1 items.

A baseline is the latest clear picture of a place: looked at, nothing found. It
is what a later picture of the same place is compared with. Places are cells of
some fifty metres, each camera its own. Beside them stand the baselines that are
kept as orthophotos, version by version (`api.opendata.baselines`).
"""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import Select, exists
from sqlalchemy.ext.asyncio import AsyncSession

from api.opendata.features import CHUNK, frames_of, ring_geometry
from api.store.models import DetectionRow, FrameRow
from api.store.tokens import Caller

STAC = "1.1.0"
EXTENSIONS = (
    "https://stac-extensions.github.io/view/v1.0.0/schema.json",
    "https://stac-extensions.github.io/file/v2.1.0/schema.json",
)
COLLECTIONS = {
    "frames": ("Frames", "Every picture that was taken, with the ground it shows and what was found in it."),
    "baselines": (
        "Baselines",
        "The latest picture of each place in which nothing was found, and the orthophotos kept of places.",
    ),
}
TYPES = {".tif": "image/tiff", ".tiff": "image/tiff", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}

_CELL_DEG = 0.0005
_SHA256 = "1220"  # how a multihash says SHA-256 of 32 bytes


def frames_query(
    caller: Caller, collection: str, *, since: datetime | None = None, until: datetime | None = None
) -> Select[FrameRow]:
    """Return the query of a collection's frames that a caller may see, newest first."""
    query = frames_of(caller).order_by(FrameRow.taken_at.desc(), FrameRow.id)
    query = query.where(FrameRow.taken_at >= since) if since is not None else query
    query = query.where(FrameRow.taken_at <= until) if until is not None else query
    if collection == "baselines":
        clear = ~exists().where(DetectionRow.frame == FrameRow.id)
        looked_at = FrameRow.analysed_at.is_not(None), FrameRow.skipped.is_(None)
        query = query.where(clear, *looked_at, FrameRow.footprint.is_not(None))
    return query


async def baselines(session: AsyncSession, query: Select[FrameRow]) -> list[FrameRow]:
    """Return the newest frame of each cell and camera of a baselines query."""
    found: dict[tuple[int, int, str], FrameRow] = {}
    offset = 0
    while rows := (await session.scalars(query.limit(CHUNK).offset(offset))).all():
        for row in rows:
            found.setdefault(_cell(row), row)
        offset += CHUNK
    return list(found.values())


def item(
    row: FrameRow, found: Sequence[DetectionRow], collection: str, *, api: str, stac: str
) -> dict[str, Any]:
    """Return a frame as an item; `api` and `stac` are where pictures and documents are."""
    geometry = ring_geometry(row.footprint) or _camera_place(row)
    taken_at = row.taken_at.isoformat().replace("+00:00", "Z")
    here = f"{stac}/collections/{collection}"
    document: dict[str, Any] = {
        "type": "Feature",
        "stac_version": STAC,
        "stac_extensions": list(EXTENSIONS),
        "id": row.id,
        "collection": collection,
        "geometry": geometry,
        "properties": {
            "datetime": taken_at,
            "platform": row.drone,
            "instruments": [row.sensor],
            "gridpatrol:sortie": row.sortie,
            "gridpatrol:shot": row.shot,
            "gridpatrol:skipped": row.skipped,
            "gridpatrol:hazards": sorted({detection.hazard for detection in found}),
            "gridpatrol:detectors": sorted({detection.detector for detection in found}),
            **_view(row),
        },
        "assets": {
            "picture": {
                "href": f"{api}/frames/{row.id}/picture",
                "type": TYPES.get(PurePosixPath(row.name).suffix.lower(), "application/octet-stream"),
                "title": row.name,
                "roles": ["data"],
                "file:size": row.bytes,
                "file:checksum": f"{_SHA256}{row.sha256}",
            },
            "marked": {
                "href": f"{api}/frames/{row.id}/marked.jpg",
                "type": "image/jpeg",
                "title": "with what was found drawn into it",
                "roles": ["visual"],
            },
        },
        "links": [
            {"rel": "self", "href": f"{here}/items/{row.id}", "type": "application/geo+json"},
            {"rel": "collection", "href": here, "type": "application/json"},
            {"rel": "parent", "href": here, "type": "application/json"},
            {"rel": "root", "href": stac, "type": "application/json"},
        ],
    }
    if geometry is not None:
        document["bbox"] = _bounds(geometry)
    return document


def collection_document(name: str, *, stac: str, licence: str = "other") -> dict[str, Any]:
    """Return a collection's description."""
    title, description = COLLECTIONS[name]
    here = f"{stac}/collections/{name}"
    return {
        "type": "Collection",
        "stac_version": STAC,
        "stac_extensions": [],
        "id": name,
        "title": title,
        "description": description,
        "license": licence,
        "extent": {
            "spatial": {"bbox": [[-180.0, -90.0, 180.0, 90.0]]},
            "temporal": {"interval": [[None, None]]},
        },
        "links": [
            {"rel": "self", "href": here, "type": "application/json"},
            {"rel": "items", "href": f"{here}/items", "type": "application/geo+json"},
            {"rel": "parent", "href": stac, "type": "application/json"},
            {"rel": "root", "href": stac, "type": "application/json"},
        ],
    }


def _cell(row: FrameRow) -> tuple[int, int, str]:
    ring = row.footprint or []
    lon = sum(place[0] for place in ring) / max(len(ring), 1)
    lat = sum(place[1] for place in ring) / max(len(ring), 1)
    return math.floor(lat / _CELL_DEG), math.floor(lon / _CELL_DEG), row.sensor


def _camera_place(row: FrameRow) -> dict[str, Any] | None:
    """Return where the camera was, for a picture whose ground is not known."""
    if row.pose is None:
        return None
    return {"type": "Point", "coordinates": [row.pose["lon_deg"], row.pose["lat_deg"]]}


def _view(row: FrameRow) -> dict[str, float]:
    if row.pose is None:
        return {}
    off_nadir = min(max(90.0 + row.pose["pitch_deg"], 0.0), 90.0)
    return {"view:off_nadir": off_nadir, "view:azimuth": row.pose["heading_deg"] % 360.0}


def _bounds(geometry: dict[str, Any]) -> list[float]:
    places: Iterable[Sequence[float]] = (
        geometry["coordinates"][0] if geometry["type"] == "Polygon" else [geometry["coordinates"]]
    )
    lons, lats = zip(*((place[0], place[1]) for place in places), strict=True)
    return [min(lons), min(lats), max(lons), max(lats)]
