"""STAC API: the pictures, searchable by place, time and CQL2 filter, each caller its own."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from shapely import from_geojson
from shapely.errors import ShapelyError
from sqlalchemy.ext.asyncio import AsyncSession

from api.auth import Built, Watcher
from api.errors import NotFound
from api.opendata import baselines, stac
from api.opendata.features import CHUNK, frames_of
from api.opendata.query import CRS84, BadQuery, Wanted, bbox_of, expression, interval
from api.routes.ogc import GEOJSON, OPENAPI, base_of
from api.services import Services
from api.store import frames
from api.store.models import FrameRow
from api.store.tokens import Caller

router = APIRouter(tags=["stac"])

MOST = 1000
CONFORMS = (
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/ogcapi-features",
    "https://api.stacspec.org/v1.0.0/item-search",
    "https://api.stacspec.org/v1.0.0/item-search#filter",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
)
_COLUMNS = (
    "datetime",
    "platform",
    "instruments",
    "collection",
    "gridpatrol:sortie",
    "gridpatrol:shot",
    "gridpatrol:skipped",
    "gridpatrol:hazards",
    "gridpatrol:detectors",
    "view:off_nadir",
    "view:azimuth",
    "gridpatrol:place",
    "gridpatrol:standing",
)


class Search(BaseModel):
    """What is searched for; as the STAC API's item search words it."""

    model_config = ConfigDict(
        populate_by_name=True,
        json_schema_extra={"examples": [{"collections": ["frames"], "bbox": [119.4, 30.2, 119.5, 30.3]}]},
    )

    collections: Annotated[list[str], Field(max_length=10)] | None = None
    ids: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=1000)] | None = None
    bbox: Annotated[list[float], Field(min_length=4, max_length=6)] | None = None
    intersects: dict[str, Any] | None = None
    datetime: Annotated[str, Field(max_length=100)] | None = None
    limit: Annotated[int, Field(ge=1, le=10_000)] = 100
    filter: dict[str, Any] | Annotated[str, Field(max_length=2000)] | None = None
    filter_lang: Annotated[str | None, Field(alias="filter-lang", max_length=20)] = None
    token: Annotated[str, Field(max_length=20, pattern=r"^[0-9]{1,9}$")] | None = None


@router.get("")
@router.get("/", include_in_schema=False)
async def landing(request: Request, caller: Watcher, built: Built) -> dict[str, Any]:
    """Say what there is."""
    base = base_of(request, built.options.public_url, "stac")
    children = [
        {"rel": "child", "href": f"{base}/collections/{name}", "type": "application/json", "title": title}
        for name, (title, _) in stac.COLLECTIONS.items()
    ]
    links = [
        {"rel": "self", "href": base, "type": "application/json"},
        {"rel": "root", "href": base, "type": "application/json"},
        {"rel": "conformance", "href": f"{base}/conformance", "type": "application/json"},
        {"rel": "data", "href": f"{base}/collections", "type": "application/json"},
        {"rel": "search", "href": f"{base}/search", "type": GEOJSON, "method": "GET"},
        {"rel": "search", "href": f"{base}/search", "type": GEOJSON, "method": "POST"},
        {
            "rel": "service-desc",
            "href": f"{base}/api",
            "type": "application/vnd.oai.openapi+json;version=3.0",
        },
    ]
    return {
        "type": "Catalog",
        "stac_version": stac.STAC,
        "id": f"gridpatrol-{built.site.id}",
        "title": f"Gridpatrol: {built.site.id}",
        "description": "Pictures taken by drones, and what the same places looked like before.",
        "conformsTo": list(CONFORMS),
        "links": links + children,
    }


@router.get("/api")
async def definition(request: Request, caller: Watcher) -> JSONResponse:
    """Describe the API as OpenAPI."""
    return JSONResponse(request.app.openapi(), media_type=OPENAPI)


@router.get("/conformance")
async def conformance(caller: Watcher) -> dict[str, list[str]]:
    """List the conformance classes."""
    return {"conformsTo": list(CONFORMS)}


@router.get("/collections")
async def collections(request: Request, caller: Watcher, built: Built) -> dict[str, Any]:
    """List the collections."""
    base = base_of(request, built.options.public_url, "stac")
    return {
        "collections": [stac.collection_document(name, stac=base) for name in stac.COLLECTIONS],
        "links": [
            {"rel": "self", "href": f"{base}/collections", "type": "application/json"},
            {"rel": "root", "href": base, "type": "application/json"},
        ],
    }


@router.get("/collections/{name}")
async def one_collection(name: str, request: Request, caller: Watcher, built: Built) -> dict[str, Any]:
    """Describe a collection."""
    return stac.collection_document(_known(name), stac=base_of(request, built.options.public_url, "stac"))


@router.get("/collections/{name}/items", response_class=Response)
async def items(
    name: str,
    request: Request,
    caller: Watcher,
    built: Built,
    bbox: Annotated[str | None, Query(max_length=200)] = None,
    datetime: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
    token: Annotated[str | None, Query(pattern=r"^[0-9]{1,9}$")] = None,
) -> Response:
    """Give a page of a collection's items, newest first."""
    asked = Search(
        collections=[_known(name)], bbox=_numbers(bbox), datetime=datetime, limit=limit, token=token
    )
    return await _search(request, caller, built, asked)


@router.get("/collections/{name}/items/{item_id}", response_class=Response)
async def one_item(name: str, item_id: str, request: Request, caller: Watcher, built: Built) -> Response:
    """Give one item."""
    _known(name)
    async with built.database.read() as session:
        row = await session.scalar(frames_of(caller).where(FrameRow.id == item_id))
        if row is None:
            kept = await _kept(built, caller) if name == "baselines" else []
            one = next((one for one in kept if one.id == item_id), None)
            if one is None:
                raise NotFound("item", item_id)
            places = _places(request, built)
            return JSONResponse(baselines.item(one, version=stac.STAC, **places), media_type=GEOJSON)
        found = await frames.detections(session, item_id, caller)
    return JSONResponse(stac.item(row, found, name, **_places(request, built)), media_type=GEOJSON)


@router.get("/search", response_class=Response)
async def search_by_get(
    request: Request,
    caller: Watcher,
    built: Built,
    collections: Annotated[str | None, Query(max_length=200)] = None,
    ids: Annotated[str | None, Query(max_length=4000)] = None,
    bbox: Annotated[str | None, Query(max_length=200)] = None,
    datetime: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
    filter: Annotated[str | None, Query(max_length=2000)] = None,
    filter_lang: Annotated[str | None, Query(alias="filter-lang", max_length=20)] = None,
    token: Annotated[str | None, Query(pattern=r"^[0-9]{1,9}$")] = None,
) -> Response:
    """Search the items of all collections by place, time and filter."""
    asked = Search(
        collections=collections.split(",") if collections else None,
        ids=ids.split(",") if ids else None,
        bbox=_numbers(bbox),
        datetime=datetime,
        limit=limit,
        filter=filter,
        filter_lang=filter_lang,
        token=token,
    )
    return await _search(request, caller, built, asked)


@router.post("/search", response_class=Response)
async def search_by_post(request: Request, caller: Watcher, built: Built, asked: Search) -> Response:
    """Search the items of all collections by place, time and filter."""
    return await _search(request, caller, built, asked)


async def _search(request: Request, caller: Caller, built: Services, asked: Search) -> Response:
    base = base_of(request, built.options.public_url, "stac")
    names = [_known(name) for name in asked.collections or stac.COLLECTIONS]
    limit, skip = min(asked.limit, MOST), int(asked.token or 0)
    test, places = _test(asked), _places(request, built)
    page: list[dict[str, Any]] = []
    async with built.database.read() as session:
        for name in names:
            async for document in _items(session, caller, name, asked, places, built):
                if not test.takes(document):
                    continue
                if skip > 0:
                    skip -= 1
                    continue
                page.append(document)
                if len(page) > limit:
                    break
            if len(page) > limit:
                break
    links = [{"rel": "root", "href": base, "type": "application/json"}]
    links.append({"rel": "self", "href": f"{base}/search", "type": GEOJSON})
    has_more, page = len(page) > limit, page[:limit]
    body = {
        "type": "FeatureCollection",
        "features": page,
        "links": [*links, *([_next(request, asked, base, limit)] if has_more else [])],
        "numberReturned": len(page),
    }
    return JSONResponse(body, media_type=GEOJSON)


async def _items(
    session: AsyncSession, caller: Caller, name: str, asked: Search, places: dict[str, str], built: Services
) -> AsyncIterator[dict[str, Any]]:
    since, until = interval(asked.datetime) if asked.datetime else (None, None)
    query = stac.frames_query(caller, name, since=since, until=until)
    if asked.ids is not None:
        query = query.where(FrameRow.id.in_(asked.ids))
    if name == "baselines":
        for one in await _kept(built, caller):
            is_then = (since is None or one.at >= since) and (until is None or one.at <= until)
            if is_then and (asked.ids is None or one.id in asked.ids):
                yield baselines.item(one, version=stac.STAC, **places)
        for row in await stac.baselines(session, query):
            yield stac.item(row, [], name, **places)
        return
    offset = 0
    while rows := (await session.scalars(query.limit(CHUNK).offset(offset))).all():
        found = await frames.detections_of(session, [row.id for row in rows], caller)
        for row in rows:
            yield stac.item(row, found.get(row.id, []), name, **places)
        offset += CHUNK


async def _kept(built: Services, caller: Caller) -> list[baselines.Stored]:
    """Return the stored baselines that a caller may see, newest first."""
    return await asyncio.to_thread(baselines.stored, built.options.baselines, built.site, caller)


def _test(asked: Search) -> Wanted:
    """Return what place and filter ask for.

    Raises:
        BadQuery: one of them cannot be read.
    """
    area = bbox_of(",".join(map(str, asked.bbox)), CRS84) if asked.bbox else None
    if asked.intersects is not None:
        if area is not None:
            raise BadQuery("search: send bbox or intersects, not both")
        try:
            area = from_geojson(json.dumps(asked.intersects))
        except (ShapelyError, ValueError, TypeError):
            raise BadQuery("intersects: this is no GeoJSON geometry") from None
    parsed = None
    if asked.filter is not None:
        is_json = isinstance(asked.filter, dict)
        text = json.dumps(asked.filter) if is_json else str(asked.filter)
        parsed = expression(text, "cql2-json" if is_json else asked.filter_lang or "cql2-text", _COLUMNS)
    return Wanted(box=area, filter=parsed)


def _next(request: Request, asked: Search, base: str, limit: int) -> dict[str, Any]:
    token = str(int(asked.token or 0) + limit)
    if request.method == "POST":
        body = asked.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {
            "rel": "next",
            "href": f"{base}/search",
            "type": GEOJSON,
            "method": "POST",
            "body": {**body, "token": token},
        }
    path = request.url.path.removeprefix("/stac")
    following = request.url.include_query_params(token=token)
    return {"rel": "next", "href": f"{base}{path}?{following.query}", "type": GEOJSON, "method": "GET"}


def _places(request: Request, built: Services) -> dict[str, str]:
    public = built.options.public_url
    return {"api": base_of(request, public, "v1"), "stac": base_of(request, public, "stac")}


def _numbers(bbox: str | None) -> list[float] | None:
    if bbox is None:
        return None
    try:
        return [float(part) for part in bbox.split(",")]
    except ValueError:
        raise BadQuery(f"bbox: found {bbox!r}, expected four numbers WEST,SOUTH,EAST,NORTH") from None


def _known(name: str) -> str:
    if name not in stac.COLLECTIONS:
        raise NotFound("collection", name)
    return name
