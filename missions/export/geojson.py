"""plan.geojson: docks, sorties' tracks and pictures, for any map program (RFC 7946)."""

import json
from pathlib import Path
from typing import Any

from missions.export.planfile import PlanFile
from missions.model import Dock, Sortie, Waypoint


def write(file: PlanFile, path: Path) -> None:
    """Write the plan as one feature collection."""
    path.write_text(json.dumps(to_json(file), ensure_ascii=False, allow_nan=False), "utf-8")


def to_json(file: PlanFile) -> dict[str, Any]:
    """Return the feature collection of a plan: docks, then each sortie with its looks."""
    features = [_dock(d) for d in file.docks]
    for sortie in file.plan.sorties:
        features.append(_track(sortie))
        features += [_look(sortie, shot, index) for index, shot in enumerate(sortie.shots)]
    return {"type": "FeatureCollection", "features": features}


def _dock(dock: Dock) -> dict[str, Any]:
    position = [dock.place.lon_deg, dock.place.lat_deg, dock.elevation_m]
    return _feature("Point", position, {"kind": "dock", "id": dock.id, "name": dict(dock.name)})


def _track(sortie: Sortie) -> dict[str, Any]:
    return _feature(
        "LineString",
        [_position(w) for w in sortie.waypoints],
        {
            "kind": "sortie",
            "id": sortie.id,
            "dock": sortie.dock,
            "lands_at": sortie.lands_at,
            "model": sortie.model,
            "flight_s": sortie.flight_s,
            "energy_wh": sortie.energy_wh,
            "reserve_min": sortie.reserve_min,
            "agencies": list(sortie.agencies),
            "shots": len(sortie.shots),
        },
    )


def _look(sortie: Sortie, shot: Waypoint, index: int) -> dict[str, Any]:
    return _feature(
        "Point",
        _position(shot),
        {
            "kind": "look",
            "sortie": sortie.id,
            "shot": index,
            "task": shot.task,
            "above_dock_m": shot.above_dock_m,
            "pitch_deg": shot.pitch_deg,
            "heading_deg": shot.heading_deg,
            "dwell_s": shot.dwell_s,
            "agencies": list(shot.agencies),
        },
    )


def _position(waypoint: Waypoint) -> list[float]:
    # RFC 7946 wants heights over the ellipsoid; like most writers we give those over the sea.
    place = waypoint.place
    return [round(place.lon_deg, 7), round(place.lat_deg, 7), waypoint.altitude.metres]


def _feature(kind: str, coordinates: list[Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": properties,
    }
