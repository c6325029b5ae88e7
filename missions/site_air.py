"""What the site file says of flying: drone models on the day, winds, and how demands want to be looked at."""

from collections.abc import Mapping, Sequence
from typing import Any

from missions import energy
from missions.air import Aloft, Wind
from missions.errors import InputWrong
from missions.model import Camera, Dock, DroneModel, Sensor
from missions.view import Side, View
from missions.yaml_lines import Keys, Lined


def wind(row: Mapping[str, Any], docks: Sequence[Dock]) -> Wind:
    """Return a wind; what it is at the docks holds at the height of the lowest."""
    aloft = tuple(
        Aloft(float(k["above_sea_m"]), float(k["speed_m_s"]), float(k["from_deg"]))
        for k in row.get("aloft", ())
    )
    lowest_m = min(dock.elevation_m for dock in docks) if aloft else 0.0
    return Wind(float(row.get("speed_m_s", 0.0)), float(row.get("from_deg", 0.0)), lowest_m, aloft)


def view(lined: Lined, keys: Keys, row: Mapping[str, Any], where: Mapping[str, Any]) -> View:
    """Return how a demand wants to be looked at.

    Raises:
        SiteWrong: it asks of a point, a line or an area what only another can have.
    """
    is_line = "half_width_m" in where
    kind = "a point" if "point" in where else "a line" if is_line else "an area"
    fits = {
        "side": is_line,
        "wire_m": is_line,
        "sag_m": is_line and "wire_m" in row,
        "heading_deg": "point" in where,
        "stand_off_m": "point" in where or (is_line and row.get("side", "over") != "over"),
        "pitch_deg": "point" in where or (is_line and row.get("side", "over") != "over"),
        "dwell_s": "point" in where,
        "reach_m": kind == "an area",
    }
    for key in row:
        if not fits[key]:
            raise lined.wrong((*keys, key), found=f"{key} for {kind}", expected=_EXPECTED[key])
    return View(
        stand_off_m=float(row.get("stand_off_m", 0.0)),
        pitch_deg=float(row.get("pitch_deg", -90.0)),
        heading_deg=float(row["heading_deg"]) if "heading_deg" in row else None,
        dwell_s=float(row.get("dwell_s", 0.0)),
        side=Side(row.get("side", "over")),
        wire_m=float(row["wire_m"]) if "wire_m" in row else None,
        sag_m=float(row.get("sag_m", 0.0)),
        reach_m=float(row["reach_m"]) if "reach_m" in row else None,
    )


_EXPECTED = {
    "side": "it for a line with half_width_m",
    "wire_m": "it for a line with half_width_m",
    "sag_m": "it for a line, with wire_m",
    "heading_deg": "it for a point; along a line it is the line's",
    "stand_off_m": "it for a point, or for a line with a side of left, right or both",
    "pitch_deg": "it for a point, or for a line with a side of left, right or both",
    "dwell_s": "it for a point",
    "reach_m": "it for an area",
}


def drone_model(name: str, row: Mapping[str, Any], site: Mapping[str, Any]) -> DroneModel:
    """Return the model as it flies from this site: with its payload, its age and the cold of the day."""
    numbers = {key: float(value) for key, value in row.items() if key != "cameras"}
    mass_kg, payload_kg = numbers.pop("mass_kg", 1.0), numbers.pop("payload_kg", 0.0)
    if payload_kg and "mass_kg" not in row:
        raise InputWrong(f"drone model {name}: payload_kg needs mass_kg, the mass its powers were taken at")
    for power in ("hover_w", "climb_w", "cruise_w", "descent_w"):
        numbers[power] *= energy.loaded(mass_kg, payload_kg)
    numbers["health"] = numbers.get("health", 1.0) * energy.cold(float(site.get("air_c", energy.WARM_C)))
    cameras = tuple(
        Camera.from_optics(
            c["name"],
            Sensor(c["sensor"]),
            width_px=c["width_px"],
            height_px=c["height_px"],
            focal_mm=float(c["focal_mm"]),
            sensor_width_mm=float(c["sensor_width_mm"]),
        )
        for c in row["cameras"]
    )
    return DroneModel(name=name, cameras=cameras, **numbers)
