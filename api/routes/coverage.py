"""What was looked at: each agency sees its own demands and ground, the operator all."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from api.auth import Built, Watcher
from api.coverage import Cell, DemandCoverage, box_of, cells, demands_covered
from api.discretion import told_ellipse, told_place
from api.errors import NotFound
from api.schemas_witnesses import PlaceCoverage, VisitOut
from api.shapes import touches
from api.store.coverage import last_visit, looks
from api.store.silence import worded
from api.store.tokens import Caller
from missions.geo import Area, Corridor, LatLon
from missions.model import Agency, Demand, Hazard, Site
from missions.words import LANGUAGES
from vision.model import Ellipse

router = APIRouter(tags=["coverage"])

Hours = Annotated[float, Query(gt=0, le=168, description="how far back looks count")]
SPOT = Ellipse(1.0, 1.0, 0.0)


@router.get("/coverage", response_class=Response)
async def coverage(caller: Watcher, built: Built, hours: Hours = 24.0) -> Response:
    """Give what was looked at as GeoJSON: the demands, and squares with the age of the last look.

    Properties of a demand: shown_share and searched_share (a picture that nobody searches for its
    hazards shows it and tells nothing), searched_by_hazard (where a detector abstained the ground was not
    seen for that hazard), overdue_share, ages; of a square: age_s, null where it was not seen.
    """
    site, now = built.site, built.clock.now()
    async with built.database.read() as session:
        rows = await looks(
            session, since=now - timedelta(hours=hours), bounds=box_of(site), hazards_searched=False
        )
    mine = _agency(caller, site)
    features = [
        _demand(found)
        for found in demands_covered(site, rows, now=now)
        if mine is None or found.demand.agency == mine.id
    ]
    features += [
        _cell(cell)
        for cell in cells(site, rows, now=now)
        if mine is None or touches(mine.jurisdiction, cell.middle, SPOT)
    ]
    collection = {"type": "FeatureCollection", "at": now.isoformat(), "features": features}
    return JSONResponse(collection, media_type="application/geo+json")


@router.get("/coverage/at")
async def coverage_at(
    caller: Watcher,
    built: Built,
    lat_deg: Annotated[float, Query(ge=-90, le=90)],
    lon_deg: Annotated[float, Query(ge=-180, le=180)],
    hazard: Hazard = Hazard.FIRE,
    within_m: Annotated[float, Query(ge=1, le=1000)] = 30.0,
) -> PlaceCoverage:
    """Say when a place was last looked at for a hazard, and whether anything was found there.

    Of a hazard that is told roughly the answer is that of the whole square around the place.
    """
    place, ellipse = LatLon(lat_deg, lon_deg), Ellipse(within_m, within_m, 0.0)
    mine = _agency(caller, built.site)
    if mine is not None and not touches(mine.jurisdiction, place, ellipse):
        raise NotFound("place on your ground", f"{lat_deg}, {lon_deg}")
    now = built.clock.now()
    place = told_place(hazard, place, caller.knows)
    ellipse = told_ellipse(hazard, ellipse, caller.knows)
    async with built.database.read() as session:
        visit = await last_visit(session, place, ellipse, hazard, before=now)
    shown = VisitOut(
        at=visit.at,
        share=round(visit.share, 3),
        sensor=visit.sensor,
        drone=visit.drone,
        pictures=visit.looks,
        is_clean=visit.is_clean,
    ) if visit else None  # fmt: skip
    return PlaceCoverage(visit=shown, words={lang: worded(visit, now, lang) for lang in LANGUAGES})


def _agency(caller: Caller, site: Site) -> Agency | None:
    """Return the agency whose eyes these are, None for the operator's."""
    return next((a for a in site.agencies if a.id == caller.agency), None) if caller.agency else None


def _demand(found: DemandCoverage) -> dict[str, Any]:
    demand = found.demand
    return {
        "type": "Feature",
        "id": demand.id,
        "geometry": _geometry(demand),
        "properties": {
            "kind": "demand",
            "id": demand.id,
            "agency": demand.agency,
            "hazards": sorted(demand.hazards),
            "revisit_s": demand.revisit_s,
            "shown_share": round(found.shown_share, 4),
            "searched_share": round(found.searched_share, 4),
            "searched_by_hazard": {name: round(s, 4) for name, s in found.searched_by_hazard.items()},
            "overdue_share": round(found.overdue_share, 4),
            "by_sensor": {sensor: round(share, 4) for sensor, share in found.by_sensor.items()},
            "last_at": found.last_at.isoformat() if found.last_at else None,
            "median_age_s": found.median_age_s,
            "oldest_age_s": found.oldest_age_s,
            "gsd_m": found.gsd_m,
        },
    }


def _cell(cell: Cell) -> dict[str, Any]:
    ring = [[round(p.lon_deg, 7), round(p.lat_deg, 7)] for p in (*cell.ring, cell.ring[0])]
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"kind": "age", "age_s": cell.age_s, "sensor": cell.sensor},
    }


def _geometry(demand: Demand) -> dict[str, Any]:
    match demand.where:
        case LatLon(lat_deg, lon_deg):
            return {"type": "Point", "coordinates": [lon_deg, lat_deg]}
        case Corridor(line, _):
            return {"type": "LineString", "coordinates": [[p.lon_deg, p.lat_deg] for p in line]}
        case Area(outer, holes):
            rings = [[[p.lon_deg, p.lat_deg] for p in (*ring, ring[0])] for ring in (outer, *holes)]
            return {"type": "Polygon", "coordinates": rings}
