"""QGroundControl's .plan: JSON, one file a sortie.

The format is https://docs.qgroundcontrol.com/master/en/qgc-dev-guide/file_formats/plan.html ;
our items become its SimpleItems one to one, home beside them as `plannedHomePosition`.
"""

import json
from pathlib import Path
from typing import Any

from missions.errors import InputWrong
from missions.export.planfile import PlanFile
from missions.items import FRAME_ABOVE_HOME, MissionItem, mission_items
from missions.model import Dock, DroneModel, Sortie

ARDUPILOT, MULTIROTOR = 3, 2  # MAV_AUTOPILOT, MAV_TYPE
RELATIVE_ALTITUDE, NO_ALTITUDE = 1, 0  # QGroundControl's AltitudeMode


def write(file: PlanFile, folder: Path) -> tuple[Path, ...]:
    """Write one .plan for each sortie and return their paths."""
    paths = []
    for sortie in file.plan.sorties:
        path = folder / f"{sortie.id}.plan"
        document = to_json(sortie, file.dock(sortie.dock), file.model(sortie.model))
        path.write_text(json.dumps(document, indent=1, allow_nan=False), "utf-8")
        paths.append(path)
    return tuple(paths)


def to_json(sortie: Sortie, dock: Dock, model: DroneModel) -> dict[str, Any]:
    """Return the .plan document of a sortie."""
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
        "geoFence": {"version": 2, "circles": [], "polygons": []},
        "rallyPoints": {"version": 2, "points": []},
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
