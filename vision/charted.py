"""What is found on a chart, as observations: the ground is the file's own, no pose is asked for."""

import uuid
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from missions.geo import WGS84, Area, LatLon
from missions.model import Shot
from vision.chart import Chart
from vision.model import Detection, Ellipse, Observation

PLACED_PX = 2.0
"""How far off a chart's pixel may lie, in pixels: what makers of orthophotos promise is about one."""

_NAMES = uuid.UUID("51c1fbb6-0f0c-5c6c-a29e-0f7fcb3d8f1e")


def observation(chart: Chart, detection: Detection, number: int, shot: Shot) -> Observation:
    """Return where a detection that knows its ground lies, by a point inside it."""
    assert detection.ground is not None
    inside = chart.grid.polygon(detection.ground).representative_point()
    lat, lon = chart.grid.to_places(np.array([[inside.x, inside.y]]))
    error_m = PLACED_PX * chart.grid.pixel_m
    return Observation(
        id=str(uuid.uuid5(_NAMES, f"{shot.id}#{detection.detector}#{number}")),
        hazard=detection.hazard,
        confidence=detection.confidence,
        place=LatLon(float(lat[0]), float(lon[0])),
        ellipse=Ellipse(error_m, error_m, 0.0),
        seen_at=shot.taken_at or datetime.fromtimestamp(Path(shot.file).stat().st_mtime, UTC),
        shot=shot.id,
        detector=detection.detector,
        area_m2=area_m2(detection.ground),
        outline=detection.ground,
        drone=shot.drone,
        sortie=shot.sortie,
        kind=detection.kind,
        sources=detection.sources or (detection.detector,),
        facts=detection.facts,
    )


def footprint(chart: Chart) -> tuple[LatLon, ...]:
    """Return the chart's corners on the ground, clockwise from the north-west."""
    width, height = chart.grid.width, chart.grid.height
    lat, lon = chart.grid.to_places(np.array([[0, 0], [width, 0], [width, height], [0, height]], float))
    return tuple(LatLon(float(a), float(b)) for a, b in zip(lat, lon, strict=True))


def area_m2(area: Area) -> float:
    """Return the geodesic size of an area, its holes left out."""
    outer, *holes = (_ring_m2(ring) for ring in (area.outer, *area.holes))
    return outer - sum(holes)


def _ring_m2(ring: tuple[LatLon, ...]) -> float:
    lon, lat = [p.lon_deg for p in ring], [p.lat_deg for p in ring]
    return abs(float(WGS84.polygon_area_perimeter(lon, lat)[0]))
