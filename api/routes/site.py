"""The site for the map: its shapes as GeoJSON, and its ground as a shaded picture."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fastapi import APIRouter, Response

from api.auth import Built, Watcher
from api.hillshade import hillshade_png
from api.store.tokens import Caller
from missions.geo import Area, Corridor, LatLon
from missions.model import Demand, Site

router = APIRouter(tags=["site"])

Json = dict[str, Any]


@router.get("/site")
async def site(caller: Watcher, built: Built) -> Json:
    """Give the site's name, bounds, background and shapes; an agency sees its own ground and demands."""
    west, south, east, north = built.terrain.bounds
    origin = built.site.origin
    return {
        "id": built.site.id,
        "name": dict(built.site.name),
        "timezone": built.site.timezone,
        "origin": {"lat_deg": origin.lat_deg, "lon_deg": origin.lon_deg},
        "bounds": [west, south, east, north],
        "hillshade": {
            "url": "/v1/site/hillshade.png",
            "corners": [[west, north], [east, north], [east, south], [west, south]],
        },
        "layers": {"type": "FeatureCollection", "features": list(_features(built.site, caller))},
    }


@router.get("/site/hillshade.png", response_class=Response)
async def hillshade(caller: Watcher, built: Built) -> Response:
    """Give the shaded ground over the site's bounds."""
    picture = await asyncio.to_thread(hillshade_png, built.terrain)
    return Response(picture, media_type="image/png", headers={"Cache-Control": "private, max-age=86400"})


def _features(site: Site, caller: Caller) -> Iterator[Json]:
    layers = site.layers
    for line in layers.lines:
        yield _feature("line", line.id, line.name, _line(p for _, p in line.towers))
        for number, place in line.towers:
            yield _feature("tower", f"{line.id}/{number}", {"en-US": number}, _point(place))
    for river in layers.rivers:
        yield _feature("river", river.id, river.name, _line(river.line))
    for named in (*layers.compartments, *layers.villages):
        yield _feature(named.kind, named.id, named.name, _polygon(named.area))
    for closed in site.no_fly:
        yield _feature("no_fly", closed.id, {"en-US": closed.id}, _polygon(closed.area))
    for demand in site.demands:
        if caller.may_see(demand.agency):
            yield _feature("demand", demand.id, {"en-US": demand.id}, _where(demand), agency=demand.agency)
    for agency in site.agencies:
        if caller.may_see(agency.id):
            for area in agency.jurisdiction:
                yield _feature("jurisdiction", agency.id, agency.name, _polygon(area), agency=agency.id)


def _feature(kind: str, id_: str, name: Mapping[str, str], geometry: Json, **more: str) -> Json:
    properties = {"kind": kind, "id": id_, "name": dict(name), **more}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def _where(demand: Demand) -> Json:
    match demand.where:
        case Area():
            return _polygon(demand.where)
        case Corridor():
            return _line(demand.where.line)
        case LatLon():
            return _point(demand.where)


def _point(place: LatLon) -> Json:
    return {"type": "Point", "coordinates": [place.lon_deg, place.lat_deg]}


def _line(places: Iterable[LatLon]) -> Json:
    return {"type": "LineString", "coordinates": [[p.lon_deg, p.lat_deg] for p in places]}


def _polygon(area: Area) -> Json:
    rings = [[[p.lon_deg, p.lat_deg] for p in (*ring, ring[0])] for ring in (area.outer, *area.holes)]
    return {"type": "Polygon", "coordinates": rings}
