"""What an analyst says of one frame, as a value and as the JSON that crosses the bus."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from api.store.models import DetectionRow
from missions.geo import Area, LatLon
from missions.model import Hazard, Sensor
from vision.model import Box, Detection, Ellipse, Observation, Sight

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything found in one frame; `skipped` says why nothing could be looked for.

    `placed` gives for each observation the index of its detection, `camera_at` where the camera was.
    `agreed` are observations of the same moment's frame of the other eye, as this frame makes them surer.
    """

    frame: str
    detections: tuple[Detection, ...] = ()
    observations: tuple[Observation, ...] = ()
    skipped: str | None = None
    note: str | None = None
    footprint: tuple[LatLon, ...] | None = None
    searched: frozenset[Hazard] = frozenset()
    gsd_m: float | None = None
    placed: tuple[int, ...] = ()
    camera_at: LatLon | None = None
    agreed: tuple[Observation, ...] = ()


def to_json(analysis: Analysis) -> Json:
    """Return the message that carries an analysis."""
    return {
        "frame": analysis.frame,
        "detections": [detection_to_json(d) for d in analysis.detections],
        "observations": [observation_to_json(o) for o in analysis.observations],
        "skipped": analysis.skipped,
        "note": analysis.note,
        "footprint": ring_to_json(analysis.footprint) if analysis.footprint else None,
        "searched": sorted(analysis.searched),
        "gsd_m": analysis.gsd_m,
        "placed": list(analysis.placed),
        "camera_at": ring_to_json((analysis.camera_at,))[0] if analysis.camera_at else None,
        "agreed": [observation_to_json(o) for o in analysis.agreed],
    }


def from_json(value: Mapping[str, Any]) -> Analysis:
    """Return the analysis that a message carries."""
    footprint, camera_at = value.get("footprint"), value.get("camera_at")
    return Analysis(
        frame=value["frame"],
        detections=tuple(detection_from_json(d) for d in value["detections"]),
        observations=tuple(observation_from_json(o) for o in value["observations"]),
        skipped=value.get("skipped"),
        note=value.get("note"),
        footprint=ring_from_json(footprint) if footprint else None,
        searched=frozenset(Hazard(h) for h in value.get("searched", ())),
        gsd_m=value.get("gsd_m"),
        placed=tuple(value.get("placed", ())),
        camera_at=ring_from_json([camera_at])[0] if camera_at else None,
        agreed=tuple(observation_from_json(o) for o in value.get("agreed", ())),
    )


def detection_to_json(found: Detection) -> Json:
    box = found.box
    return {
        "hazard": found.hazard.value,
        "confidence": found.confidence,
        "box": [box.left_px, box.top_px, box.right_px, box.bottom_px],
        "detector": found.detector,
        "sensor": found.sensor.value,
        "temp_max_c": found.temp_max_c,
        "background_c": found.background_c,
        "pixels": found.pixels,
        "outline": [list(point) for point in found.outline_px],
    }


def detection_from_json(value: Mapping[str, Any]) -> Detection:
    return Detection(
        hazard=Hazard(value["hazard"]),
        confidence=value["confidence"],
        box=Box(*value["box"]),
        detector=value["detector"],
        sensor=Sensor(value["sensor"]),
        temp_max_c=value["temp_max_c"],
        background_c=value["background_c"],
        pixels=value["pixels"],
        outline_px=tuple((x, y) for x, y in value["outline"]),
    )


def detection_from_row(row: DetectionRow) -> Detection:
    """Return a detection as the database kept it."""
    return Detection(
        hazard=Hazard(row.hazard),
        confidence=row.confidence,
        box=Box(*row.box),
        detector=row.detector,
        sensor=Sensor(row.sensor),
        temp_max_c=row.temp_max_c,
        background_c=row.background_c,
        pixels=row.pixels,
        outline_px=tuple((x, y) for x, y in row.outline),
    )


def observation_to_json(seen: Observation) -> Json:
    return {
        "id": seen.id,
        "hazard": seen.hazard.value,
        "confidence": seen.confidence,
        "lat_deg": seen.place.lat_deg,
        "lon_deg": seen.place.lon_deg,
        "major_m": seen.ellipse.major_m,
        "minor_m": seen.ellipse.minor_m,
        "bearing_deg": seen.ellipse.bearing_deg,
        "seen_at": seen.seen_at.isoformat(),
        "shot": seen.shot,
        "detector": seen.detector,
        "area_m2": seen.area_m2,
        "temp_max_c": seen.temp_max_c,
        "outline": area_to_json(seen.outline) if seen.outline else None,
        "drone": seen.drone,
        "sortie": seen.sortie,
        "sight": sight_to_json(seen.sight) if seen.sight else None,
        "kind": seen.kind,
        "sources": list(seen.sources),
        "power_w": seen.power_w,
        "facts": dict(seen.facts),
    }


def observation_from_json(value: Mapping[str, Any]) -> Observation:
    return Observation(
        id=value["id"],
        hazard=Hazard(value["hazard"]),
        confidence=value["confidence"],
        place=LatLon(value["lat_deg"], value["lon_deg"]),
        ellipse=Ellipse(value["major_m"], value["minor_m"], value["bearing_deg"]),
        seen_at=datetime.fromisoformat(value["seen_at"]).astimezone(UTC),
        shot=value["shot"],
        detector=value["detector"],
        area_m2=value["area_m2"],
        temp_max_c=value["temp_max_c"],
        outline=area_from_json(value["outline"]) if value["outline"] else None,
        drone=value["drone"],
        sortie=value["sortie"],
        sight=sight_from_json(value["sight"]) if value.get("sight") else None,
        kind=value.get("kind", ""),
        sources=tuple(value.get("sources", ())),
        power_w=value.get("power_w"),
        facts=value.get("facts", {}),
    )


def sight_to_json(sight: Sight) -> Json:
    """Return what a place answers to; JSON has no infinity, so a drift that never ends is null."""
    return {
        "pose": [list(shift) for shift in sight.pose],
        "own": [list(shift) for shift in sight.own],
        "ground": list(sight.ground),
        "drift_share": sight.drift_share,
        "drift_s": sight.drift_s if math.isfinite(sight.drift_s) else None,
    }


def sight_from_json(value: Mapping[str, Any]) -> Sight:
    east, north = value["ground"]
    return Sight(
        pose=tuple((e, n) for e, n in value["pose"]),
        own=tuple((e, n) for e, n in value["own"]),
        ground=(east, north),
        drift_share=value["drift_share"],
        drift_s=math.inf if value["drift_s"] is None else value["drift_s"],
    )


def ring_to_json(ring: tuple[LatLon, ...]) -> list[list[float]]:
    """Return an open ring as [longitude, latitude] pairs, not closed."""
    return [[place.lon_deg, place.lat_deg] for place in ring]


def ring_from_json(ring: list[list[float]]) -> tuple[LatLon, ...]:
    return tuple(LatLon(lat, lon) for lon, lat in ring)


def area_to_json(area: Area) -> list[list[list[float]]]:
    """Return an area as open rings of [longitude, latitude], the outer one first."""
    return [ring_to_json(ring) for ring in (area.outer, *area.holes)]


def area_from_json(rings: list[list[list[float]]]) -> Area:
    outer, *holes = (ring_from_json(ring) for ring in rings)
    return Area(outer, tuple(holes))
