"""A survey as the command prints it: JSON beside the frames of pictures, and lines for people."""

from collections.abc import Iterator
from typing import Any

from missions.model import Hazard
from vision.lidar.survey import DETECTOR, CloseUp, Finding, SpanWire, Survey, facts
from vision.model import Observation

Json = dict[str, Any]


def to_json(survey: Survey) -> Json:
    """Return one point cloud's row: a frame's keys, and what only a cloud has."""
    return {
        "file": survey.file,
        "pose": None,
        "skipped": survey.skipped,
        "detections": [_finding(f) for f in survey.findings],
        "footprint": None,
        "ground": None,
        "ellipse_m": None,
        "aim": None,
        "note": survey.note,
        "taken_at": None,
        "points": survey.points,
        "crs": survey.crs,
        "voltage_kv": survey.voltage_kv,
        "wires": [_wire(w) for w in survey.wires],
        "viewpoints": [_close_up(c) for c in survey.close_ups],
    }


def properties(observation: Observation) -> Json:
    """Return what a map is told of an observation beside its place."""
    return {
        "hazard": observation.hazard.value,
        "confidence": round(observation.confidence, 3),
        "detector": observation.detector,
        "facts": dict(observation.facts),
    }


def lines(survey: Survey, name: str) -> Iterator[str]:
    """Yield what people are told of one point cloud."""
    if survey.skipped:
        yield f"{name}: skipped: {survey.skipped}"
        return
    if survey.wires:
        lowest = min(w.lowest_above_ground_m for w in survey.wires)
        yield f"{name}: {len(survey.wires)} wires, the lowest {lowest:.1f} m above the ground"
    if survey.close_ups:
        towers = len({c.view.joint.tower for c in survey.close_ups})
        yield f"{name}: {len(survey.close_ups)} viewpoints for close-ups of {towers} towers (--json)"
    for found in survey.findings:
        c = found.clearance
        verdict = f"{c.required_m:g} m asked for" + ("" if c.is_breach else ", kept")
        at = (
            f"{found.place.lat_deg:.6f}, {found.place.lon_deg:.6f}"
            if found.place
            else f"{found.at[0]:.1f}, {found.at[1]:.1f} of the file"
        )
        yield f"{name}: {c.kind} {c.clearance_m:.1f} ± {2 * c.error_m:.1f} m from a wire ({verdict}) at {at}"
    if survey.note:
        yield f"{name}: {survey.note}"


def _finding(found: Finding) -> Json:
    place = found.place
    return {
        "hazard": Hazard.LINE_CLEARANCE.value,
        "confidence": round(found.clearance.confidence, 3),
        "box_px": None,
        "temp_max_c": None,
        "background_c": None,
        "lat_deg": None if place is None else round(place.lat_deg, 7),
        "lon_deg": None if place is None else round(place.lon_deg, 7),
        "ellipse_m": None if place is None else [0.5, 0.5, 0.0],
        "area_m2": None,
        "geometry": None,
        "detector": DETECTOR,
        "saturated": False,
        "facts": facts(found.clearance) | {"standard": found.source},
        "file_xyz": [round(v, 3) for v in found.at],
    }


def _close_up(close_up: CloseUp) -> Json:
    view, place = close_up.view, close_up.place
    return {
        "tower": view.joint.tower,
        "wire": view.joint.wire,
        "face": view.face,
        "camera": [round(v, 3) for v in close_up.camera],
        "joint": [round(v, 3) for v in close_up.joint],
        "lat_deg": None if place is None else round(place.lat_deg, 7),
        "lon_deg": None if place is None else round(place.lon_deg, 7),
        "heading_deg": round(view.heading_deg, 1),
        "pitch_deg": round(view.pitch_deg, 1),
        "distance_m": round(view.distance_m, 1),
        "clear_m": round(view.clear_m, 1),
    }


def _wire(wire: SpanWire) -> Json:
    return {
        "begin": [round(v, 3) for v in wire.begin],
        "end": [round(v, 3) for v in wire.end],
        "length_m": round(wire.length_m, 1),
        "catenary_m": round(wire.constant_m, 1),
        "sag_m": round(wire.sag_m, 2),
        "fit_error_m": round(wire.fit_error_m, 3),
        "points": wire.points,
        "lowest_above_ground_m": round(wire.lowest_above_ground_m, 2),
    }
