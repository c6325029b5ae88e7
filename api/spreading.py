"""How an incident spreads, from the outlines its looks left: for the page, messages and other programs."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from shapely import MultiPolygon, Polygon, make_valid, union_all
from shapely.geometry import mapping

from api.analysis import area_from_json, area_to_json
from api.store.models import IncidentRow, ObservationRow
from missions.geo import LatLon
from missions.model import Hazard, Site
from missions.words import LANGUAGES
from vision import flood, forecast, growth
from vision.model import Ellipse, Observation

SPREADS = frozenset({Hazard.FIRE, Hazard.SMOKE, Hazard.BURNING, Hazard.FLOOD, Hazard.LOGGING})
MOST_ARRIVALS = 10

Json = dict[str, Any]


def spread(row: IncidentRow, looks: Sequence[ObservationRow], *, site: Site) -> Json | None:
    """Return how an incident spreads, as JSON values; None where it does not or was seen only once."""
    if Hazard(row.hazard) not in SPREADS:
        return None
    seen = [as_seen(look) for look in looks]
    measured = growth.measure(growth.extents(seen))
    if measured is None:
        return None
    reached = growth.arrivals(measured, forecast.things(site.layers))
    risen = flood.rise_over(seen)
    return {
        "seen_at": measured.seen_at,
        "looks": measured.looks,
        "area_m2": round(measured.area_m2, 1),
        "area_m2_per_h": round(measured.area_m2_per_h, 1),
        "area_90_m2_per_h": [round(v, 1) for v in measured.area_90_m2_per_h],
        "bearing_deg": measured.bearing_deg,
        "speed_m_s": round(measured.speed_m_s, 4),
        "speed_90_m_s": [round(measured.speed_low_m_s, 4), round(measured.speed_high_m_s, 4)],
        "rise_m_per_h": round(risen.m_per_h, 3) if risen else None,
        "rise_90_m_per_h": [round(risen.low_m_per_h, 3), round(risen.high_m_per_h, 3)] if risen else None,
        "arrivals": [_arrival(a) for a in reached if a.after_s is not None][:MOST_ARRIVALS],
        "text": {
            lang: forecast.worded(measured, reached, lang, rise=risen, is_front=row.hazard not in growth.SLOW)
            for lang in LANGUAGES
        },
    }


def covered(looks: Sequence[ObservationRow]) -> Json | None:
    """Return the ground that the last look outlined, as GeoJSON; None where none has an outline."""
    seen = [as_seen(look) for look in looks if look.outline]
    if not seen:
        return None
    rings = [area_to_json(area) for area in growth.extents(seen)[-1].parts]
    whole = union_all([make_valid(Polygon(outer, holes)) for outer, *holes in rings])
    faces = [part for part in getattr(whole, "geoms", [whole]) if isinstance(part, Polygon)]
    return dict(mapping(MultiPolygon(faces)))


def _arrival(arrival: growth.Arrival) -> Json:
    return {
        "name": dict(arrival.name),
        "distance_m": round(arrival.distance_m, 1),
        "after_s": arrival.after_s,
        "earliest_s": arrival.earliest_s,
        "latest_s": arrival.latest_s,
    }


def as_seen(row: ObservationRow) -> Observation:
    """Return as much of an observation as its spread and its track need."""
    return Observation(
        id=row.id,
        hazard=Hazard(row.hazard),
        confidence=row.confidence,
        place=LatLon(row.lat_deg, row.lon_deg),
        ellipse=Ellipse(row.major_m, row.minor_m, row.bearing_deg),
        seen_at=row.seen_at.astimezone(UTC),
        shot=row.frame or "",
        detector=row.detector,
        area_m2=row.area_m2,
        outline=area_from_json(row.outline) if row.outline else None,
        drone=row.drone,
        sortie=row.sortie,
        facts=row.facts or {},
    )
