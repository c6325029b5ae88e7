"""QGroundControl's .plan: JSON, one file a sortie.

The format is https://docs.qgroundcontrol.com/master/en/qgc-dev-guide/file_formats/plan.html ;
our items become its SimpleItems one to one, home beside them as `plannedHomePosition`.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from missions.bounds import Bounds, bounds_of
from missions.errors import InputWrong
from missions.export.planfile import PlanFile
from missions.geo import LatLon
from missions.items import FRAME_ABOVE_HOME, MissionItem, mission_items, rally_above_home_m
from missions.model import Dock, DroneModel, Sortie

ARDUPILOT, MULTIROTOR = 3, 2  # MAV_AUTOPILOT, MAV_TYPE
RELATIVE_ALTITUDE, NO_ALTITUDE = 1, 0  # QGroundControl's AltitudeMode


def write(file: PlanFile, folder: Path) -> tuple[Path, ...]:
    """Write one .plan for each sortie and return their paths."""
    paths = []
    for sortie in file.plan.sorties:
        path = folder / f"{sortie.id}.plan"
        bounds = bounds_of(sortie, file.docks, file.no_fly)
        document = to_json(sortie, file.dock(sortie.dock), file.model(sortie.model), bounds)
        path.write_text(json.dumps(document, indent=1, allow_nan=False), "utf-8")
        paths.append(path)
    return tuple(paths)


def to_json(sortie: Sortie, dock: Dock, model: DroneModel, bounds: Bounds) -> dict[str, Any]:
    """Return the .plan document of a sortie, with its fence and its rally points."""
    items = mission_items(sortie, dock)
    return {
        "fileType": "Plan",
        "version": 1,
        "groundStation": "QGroundControl",
        "mission": {
            "version": 2,
            "firmwareType": ARDUPILOT,
            "vehicleType": MULTIROTOR,
            "globalPlanAltitudeMode": RELATIVE_ALTITUDE,
            "cruiseSpeed": model.cruise_m_s,
            "hoverSpeed": model.cruise_m_s,
            "plannedHomePosition": [dock.place.lat_deg, dock.place.lon_deg, dock.elevation_m],
            "items": [_simple(item, number) for number, item in enumerate(items, start=1)],
        },
        "geoFence": {
            "version": 2,
            "circles": [],
            "polygons": [
                _fence(corners, inside=n == 0) for n, corners in enumerate((bounds.inside, *bounds.outside))
            ],
        },
        "rallyPoints": {
            "version": 2,
            "points": [_rally(landing, dock, items) for landing in bounds.landings],
        },
    }


def read_items(path: Path) -> tuple[MissionItem, ...]:
    """Return the items of a .plan that has simple items only.

    What a file of QGroundControl's cannot say is lost: the task, and a shot's
    index but for its number in the capture command.

    Raises:
        InputWrong: the file is no .plan, or has a survey or another complex item.
    """
    try:
        items = json.loads(path.read_text("utf-8"))["mission"]["items"]
        return tuple(_item(entry) for entry in items)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputWrong(f"{path}: cannot be read as a .plan of simple items ({error!r})") from None


def _fence(corners: Sequence[LatLon], *, inside: bool) -> dict[str, Any]:
    return {"version": 1, "inclusion": inside, "polygon": [[p.lat_deg, p.lon_deg] for p in corners]}


def _rally(landing: Dock, home: Dock, items: Sequence[MissionItem]) -> list[float]:
    """Return a rally point as a drone is told it; its height is above home."""
    above_home_m = rally_above_home_m(items, landing.elevation_m, home.elevation_m)
    return [round(landing.place.lat_deg, 7), round(landing.place.lon_deg, 7), above_home_m]


def _simple(item: MissionItem, number: int) -> dict[str, Any]:
    has_place = item.frame == FRAME_ABOVE_HOME
    return {
        "type": "SimpleItem",
        "autoContinue": True,
        "command": item.command,
        "doJumpId": number,
        "frame": item.frame,
        "params": [*item.params, item.lat_deg, item.lon_deg, item.altitude_m],
        "AMSLAltAboveTerrain": None,
        "Altitude": item.altitude_m if has_place else None,
        "AltitudeMode": RELATIVE_ALTITUDE if has_place else NO_ALTITUDE,
    }


def _item(entry: dict[str, Any]) -> MissionItem:
    if entry["type"] != "SimpleItem":
        raise ValueError(f"a {entry['type']}")
    # QGroundControl writes null for "not a number", which none of our commands means.
    p1, p2, p3, p4, lat_deg, lon_deg, altitude_m = (float(v or 0.0) for v in entry["params"])
    return MissionItem(entry["command"], entry["frame"], (p1, p2, p3, p4), lat_deg, lon_deg, altitude_m)
