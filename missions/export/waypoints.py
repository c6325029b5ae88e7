"""The .waypoints text of Mission Planner and MAVProxy ("QGC WPL 110"), one file a sortie.

A row is: number, current, frame, command, four parameters, latitude, longitude,
altitude, autocontinue, with tabs between. Row 0 is home, in the absolute frame.
"""

from pathlib import Path

from missions.export.planfile import PlanFile
from missions.items import NAV_WAYPOINT, mission_items
from missions.model import Dock, Sortie

FRAME_ABSOLUTE = 0


def write(file: PlanFile, folder: Path) -> tuple[Path, ...]:
    """Write one .waypoints for each sortie and return their paths."""
    paths = []
    for sortie in file.plan.sorties:
        path = folder / f"{sortie.id}.waypoints"
        path.write_text(to_text(sortie, file.dock(sortie.dock)), "utf-8")
        paths.append(path)
    return tuple(paths)


def to_text(sortie: Sortie, dock: Dock) -> str:
    """Return the rows of a sortie, home first."""
    home = (
        FRAME_ABSOLUTE,
        NAV_WAYPOINT,
        (0.0,) * 4,
        dock.place.lat_deg,
        dock.place.lon_deg,
        dock.elevation_m,
    )
    rows = [home] + [
        (i.frame, i.command, i.params, i.lat_deg, i.lon_deg, i.altitude_m)
        for i in mission_items(sortie, dock)
    ]
    lines = ["QGC WPL 110"]
    for number, (frame, command, params, lat, lon, altitude) in enumerate(rows):
        values = [f"{p:.6f}" for p in params] + [f"{lat:.8f}", f"{lon:.8f}", f"{altitude:.6f}"]
        lines.append(
            "\t".join([str(number), "1" if number == 0 else "0", str(frame), str(command), *values, "1"])
        )
    return "\n".join(lines) + "\n"
