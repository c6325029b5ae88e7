"""The missions that the benches put on board: a patrol with pictures, as the planner makes them."""

from fleet.autopilots import Autopilot
from fleet.messages import Item
from fleet.order import DockPlace
from missions.geo import moved
from missions.items import MissionItem

DOCK = DockPlace("dock-east", 30.28, 119.42, 82.0)
_NONE = (0.0, 0.0, 0.0, 0.0)
_SPACING_M = 40.0


def patrol(items: int) -> tuple[MissionItem, ...]:
    """Return take-off, a speed, places with a picture at each, and the way home: so many items in all."""
    found = [
        MissionItem(22, 3, _NONE, DOCK.lat_deg, DOCK.lon_deg, 60.0),
        MissionItem(178, 2, (1.0, 10.0, -1.0, 0.0)),
    ]
    while len(found) < items - 1:
        shot = (len(found) - 2) // 2
        place = moved(DOCK.place, (shot % 9) * 40.0, (shot + 1) * _SPACING_M)
        found.append(MissionItem(16, 3, _NONE, round(place.lat_deg, 7), round(place.lon_deg, 7), 60.25))
        if len(found) < items - 1:
            found.append(MissionItem(2000, 2, (0.0, 0.0, 1.0, shot + 1.0), shot=shot))
    return (*found, MissionItem(20, 2, _NONE))


def uploaded(autopilot: Autopilot, items: int) -> tuple[Item, ...]:
    """Return such a mission as an autopilot is sent it, with so many items on the wire."""
    return autopilot.mission(patrol(items - autopilot.first), DOCK)
