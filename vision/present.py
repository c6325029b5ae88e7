"""An inspection as the JSON that the command prints, and as GeoJSON for maps."""

from typing import Any

from missions.geo import Area, LatLon
from vision import flood
from vision.confirmation import Candidate
from vision.detectors.heat import POWER_FROM
from vision.growth import extents, measure
from vision.inspection import FrameResult, Inspection
from vision.lidar import telling
from vision.metadata.reading import Reading
from vision.model import Detection, Ellipse, Incident, Observation

Json = dict[str, Any]


def to_json(inspection: Inspection) -> Json:
    """Return the command's JSON value."""
    return {
        "frames": [_frame(r) for r in inspection.frames] + [telling.to_json(s) for s in inspection.surveys],
        "incidents": [
            _incident(i) | {"growth": _growth(i, inspection), "verdict": inspection.verdict_on(i)}
            for i in inspection.incidents
        ],
        "candidates": [_candidate(c) for c in inspection.candidates],
    }


def to_geojson(inspection: Inspection) -> Json:
    """Return the observations and incidents as a FeatureCollection (RFC 7946, longitude first)."""
    features = [
        _feature(o.place, _detection(r.detections[i], o) | {"kind": "observation", "file": r.file})
        for r in inspection.frames
        for i, o in zip(r.placed, r.observations, strict=True)
    ]
    features += [
        _feature(o.place, telling.properties(o) | {"kind": "observation", "file": s.file})
        for s in inspection.surveys
        for o in s.observations
    ]
    features += [_feature(i.place, _incident(i) | {"kind": "incident"}) for i in inspection.incidents]
    return {"type": "FeatureCollection", "features": features}


def _frame(result: FrameResult) -> Json:
    """Return one file's row; what is not known is null."""
    detections = [_detection(d, result.observation_of(i)) for i, d in enumerate(result.detections)]
    return {
        "file": result.file,
        "pose": _pose(result),
        "skipped": result.skipped,
        "detections": detections,
        "footprint": _ring(result.footprint) if result.footprint else None,
        "ground": result.ground,
        "ellipse_m": _ellipse(result.aim.ellipse) if result.aim else None,
        "aim": _aim(result),
        "note": result.note,
        "taken_at": result.shot.taken_at.isoformat() if result.shot and result.shot.taken_at else None,
    }


def _aim(result: FrameResult) -> Json | None:
    """Return the ground that the picture's middle looks at (or the first below it that is no sky)."""
    at, pixel = result.aim, result.aim_px
    if at is None or pixel is None:
        return None
    return {
        "pixel": [round(v, 1) for v in pixel],
        **_place(at.place),
        "elevation_m": _metres(at.elevation_m),
        "distance_m": _metres(at.distance_m),
    }


def _pose(result: FrameResult) -> Json | None:
    """Return where the camera was, angles null where the file has none; None without a place."""
    shot, reading = result.shot, result.reading
    angles: dict[str, float | None]
    if shot and shot.pose:
        pose = shot.pose
        angles = {"heading_deg": pose.heading_deg, "pitch_deg": pose.pitch_deg, "roll_deg": pose.roll_deg}
        where = _place(pose.place) | {"altitude_m": _metres(pose.altitude_m)}
    elif reading and reading.place:
        angles = {
            "heading_deg": reading.heading_deg,
            "pitch_deg": reading.pitch_deg,
            "roll_deg": reading.roll_deg,
        }
        where = _place(reading.place) | {"altitude_m": _metres(reading.altitude_amsl_m)}
    else:
        return None
    rounded = {name: None if value is None else round(value, 2) for name, value in angles.items()}
    return where | rounded | _source(reading) | {"camera": shot.camera.name if shot else None}


def _source(reading: Reading | None) -> Json:
    """Return who wrote the pose, the datum its height was in, and the height over take-off."""
    if reading is None or reading.place is None:
        return {"source": None, "altitude_datum": None, "above_takeoff_m": None}
    return {
        "source": reading.dialect,
        "altitude_datum": reading.altitude.datum.value if reading.altitude else None,
        "above_takeoff_m": _metres(reading.above_takeoff_m),
    }


def _detection(detection: Detection, observation: Observation | None) -> Json:
    box = detection.box
    return {
        "hazard": detection.hazard.value,
        "confidence": detection.confidence,
        "box_px": [box.left_px, box.top_px, box.right_px, box.bottom_px],
        "temp_max_c": None if detection.temp_max_c is None else round(detection.temp_max_c, 1),
        "background_c": None if detection.background_c is None else round(detection.background_c, 1),
        "lat_deg": None if observation is None else round(observation.place.lat_deg, 7),
        "lon_deg": None if observation is None else round(observation.place.lon_deg, 7),
        "ellipse_m": None if observation is None else _ellipse(observation.ellipse),
        "area_m2": None if observation is None else _area(observation.area_m2),
        "geometry": _polygon(observation.outline) if observation and observation.outline else None,
        "detector": detection.detector,
        "saturated": detection.saturated,
        "kind": detection.kind or None,
        "placed": observation is not None,
        "power_w": None if observation is None else _area(observation.power_w),
        "power_from": POWER_FROM if observation and observation.power_w is not None else None,
        "sources": list(detection.sources or (detection.detector,)),
        "facts": dict(detection.facts),
    }


def _incident(incident: Incident) -> Json:
    return {
        "id": incident.id,
        "hazard": incident.hazard.value,
        **_place(incident.place),
        "ellipse_m": _ellipse(incident.ellipse),
        "confidence": round(incident.confidence, 3),
        "area_m2": _area(incident.area_m2),
        "temp_max_c": None if incident.temp_max_c is None else round(incident.temp_max_c, 1),
        "looks": incident.looks,
        "sources": max(len(incident.spots), 1),
        "state": incident.state.value,
        "seen_at": incident.seen_at.isoformat(),
        "best_shot": incident.best_shot,
    }


def _candidate(candidate: Candidate) -> Json:
    return {
        "id": candidate.id,
        "hazard": candidate.hazard.value,
        **_place(candidate.place),
        "verdict": candidate.verdict.value,
        "certainty": round(candidate.certainty, 3),
        "looks": candidate.looks,
        "hits": candidate.hits,
        "misses": candidate.misses,
        "first_at": candidate.first_at.isoformat(),
    }


def _growth(incident: Incident, inspection: Inspection) -> Json | None:
    """Return how an incident spreads, None where fewer than two looks tell its outline."""
    its = frozenset(incident.observations)
    seen = [o for r in inspection.frames for o in r.observations if o.id in its]
    growth = measure(extents(seen))
    if growth is None:
        return None
    rise = flood.rise_over(seen)
    return {
        "area_m2": _area(growth.area_m2),
        "area_m2_per_h": _area(growth.area_m2_per_h),
        "area_90_m2_per_h": [_area(v) for v in growth.area_90_m2_per_h],
        "bearing_deg": growth.bearing_deg,
        "speed_m_s": round(growth.speed_m_s, 4),
        "speed_90_m_s": [round(growth.speed_low_m_s, 4), round(growth.speed_high_m_s, 4)],
        "looks": growth.looks,
        "rise_m_per_h": round(rise.m_per_h, 3) if rise else None,
        "rise_90_m_per_h": [round(rise.low_m_per_h, 3), round(rise.high_m_per_h, 3)] if rise else None,
    }


def _feature(place: LatLon, properties: Json) -> Json:
    point = {"type": "Point", "coordinates": [round(place.lon_deg, 7), round(place.lat_deg, 7)]}
    return {"type": "Feature", "geometry": point, "properties": properties}


def _place(place: LatLon) -> Json:
    return {"lat_deg": round(place.lat_deg, 7), "lon_deg": round(place.lon_deg, 7)}


def _ellipse(ellipse: Ellipse) -> list[float]:
    return [round(ellipse.major_m, 2), round(ellipse.minor_m, 2), round(ellipse.bearing_deg, 1)]


def _area(area_m2: float | None) -> float | None:
    return None if area_m2 is None else round(area_m2, 3)


def _metres(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _polygon(area: Area) -> Json:
    """Return a GeoJSON polygon; RFC 7946 wants its outer ring to the left, its holes to the right."""
    rings = [_closed(area.outer, left=True), *(_closed(hole, left=False) for hole in area.holes)]
    return {"type": "Polygon", "coordinates": rings}


def _ring(places: tuple[LatLon, ...]) -> Json:
    """Return a closed GeoJSON polygon without holes."""
    return _polygon(Area(places))


def _closed(places: tuple[LatLon, ...], *, left: bool) -> list[list[float]]:
    """Return a ring whose last place is its first, running counter-clockwise (`left`) or clockwise."""
    ring = [[round(p.lon_deg, 7), round(p.lat_deg, 7)] for p in places]
    twice = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1], strict=True))
    ordered = ring if (twice > 0) is left else ring[::-1]
    return [*ordered, ordered[0]]
