"""OGC API Features: Core, GeoJSON, coordinate reference systems (part 2) and CQL2 filters (part 3).

Served at /ogc, with the same token as everything else; `ogrinfo OAPIF:`, QGIS
and ArcGIS read it. Pages go by id: `after` is the last id of the page before.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from api.auth import Built, Watcher
from api.errors import NotFound
from api.opendata.features import COLLECTIONS, Collection, Feature, features
from api.opendata.query import CRS84, SYSTEMS, BadQuery, in_system, wanted
from api.store.tokens import Caller

router = APIRouter(tags=["ogc"])

GEOJSON = "application/geo+json"
SCHEMA = "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
MOST = 1000

CONFORMS = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
)
_PARAMETERS = {
    "bbox",
    "bbox-crs",
    "datetime",
    "limit",
    "after",
    "crs",
    "filter",
    "filter-lang",
    "filter-crs",
    "f",
}

Text = Annotated[str | None, Query(max_length=2000)]


@router.get("")
@router.get("/", include_in_schema=False)
async def landing(request: Request, caller: Watcher, built: Built) -> dict[str, Any]:
    """Say what there is."""
    base = base_of(request, built.options.public_url)
    return {
        "title": f"Gridpatrol: {built.site.id}",
        "description": "Incidents, alerts, coverage, docks and sorties, each caller its own.",
        "links": [
            link(base, "self", "this document"),
            link(f"{base}/conformance", "conformance", "what this API conforms to"),
            link(f"{base}/collections", "data", "the collections"),
            link(f"{base}/api", "service-desc", "the API", OPENAPI),
        ],
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
    """List the collections that are open to the caller."""
    base = base_of(request, built.options.public_url)
    found = [c for c in COLLECTIONS.values() if c.is_open_to(caller)]
    return {
        "links": [link(f"{base}/collections", "self", "this document")],
        "crs": list(SYSTEMS),
        "collections": [_described(c, base) for c in found],
    }


@router.get("/collections/{name}")
async def one_collection(name: str, request: Request, caller: Watcher, built: Built) -> dict[str, Any]:
    """Describe a collection."""
    return _described(collection_of(name, caller), base_of(request, built.options.public_url))


@router.get("/collections/{name}/queryables")
async def queryables(name: str, request: Request, caller: Watcher, built: Built) -> JSONResponse:
    """List the properties that a filter may name, as JSON Schema."""
    found = collection_of(name, caller)
    base = base_of(request, built.options.public_url)
    properties: dict[str, Any] = {"geometry": {"format": "geometry-any"}, "id": {"type": "string"}}
    for column, kind in found.columns.items():
        is_time = kind == "date-time"
        properties[column] = {"type": "string", "format": kind} if is_time else {"type": kind}
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{base}/collections/{name}/queryables",
        "type": "object",
        "title": found.title,
        "properties": properties,
        "additionalProperties": False,
    }
    return JSONResponse(document, media_type=SCHEMA)


@router.get("/collections/{name}/items", response_class=Response)
async def items(
    name: str,
    request: Request,
    caller: Watcher,
    built: Built,
    bbox: Text = None,
    bbox_crs: Annotated[str | None, Query(alias="bbox-crs", max_length=200)] = None,
    datetime: Text = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
    after: Annotated[str | None, Query(max_length=200)] = None,
    crs: Annotated[str | None, Query(max_length=200)] = None,
    filter: Text = None,
    filter_lang: Annotated[str | None, Query(alias="filter-lang", max_length=20)] = None,
    filter_crs: Annotated[str | None, Query(alias="filter-crs", max_length=200)] = None,
) -> Response:
    """Give a page of features: by box, time, CQL2 filter, or `property=value`."""
    found = collection_of(name, caller)
    if filter_crs not in (None, CRS84):
        raise BadQuery(f"filter-crs: found {filter_crs!r}, filters are written in {CRS84}")
    asked = wanted(
        found,
        bbox=bbox,
        bbox_crs=bbox_crs,
        datetime_=datetime,
        filter_=filter,
        filter_lang=filter_lang,
        equals=_equals(request, found),
    )
    page: list[Feature] = []
    has_more = False
    async with built.database.read() as session:
        rows = features(session, found, caller, since=asked.since, until=asked.until, after=after)
        async for feature in rows:
            if not asked.takes(feature):
                continue
            if len(page) == min(limit, MOST):
                has_more = True
                break
            page.append(feature)
    base = base_of(request, built.options.public_url)
    here = f"{base}/collections/{name}/items"
    links = [link(f"{here}?{request.url.query}".rstrip("?"), "self", "this page", GEOJSON)]
    links.append(link(f"{base}/collections/{name}", "collection", found.title))
    if has_more:
        following = request.url.include_query_params(after=page[-1]["id"])
        links.append(link(f"{here}?{following.query}", "next", "the next page", GEOJSON))
    shown = [in_system(feature, crs or CRS84) for feature in page]
    body = {
        "type": "FeatureCollection",
        "timeStamp": built.clock.now().isoformat().replace("+00:00", "Z"),
        "numberReturned": len(shown),
        "features": shown,
        "links": links,
    }
    return JSONResponse(body, media_type=GEOJSON, headers={"Content-Crs": f"<{crs or CRS84}>"})


@router.get("/collections/{name}/items/{feature_id}", response_class=Response)
async def one_item(
    name: str,
    feature_id: str,
    request: Request,
    caller: Watcher,
    built: Built,
    crs: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """Give one feature."""
    found = collection_of(name, caller)
    async with built.database.read() as session:
        one = [f async for f in features(session, found, caller, feature_id=feature_id)]
    if not one:
        raise NotFound(f"feature of {name}", feature_id)
    base = base_of(request, built.options.public_url)
    here = f"{base}/collections/{name}"
    links = [
        link(f"{here}/items/{feature_id}", "self", "this feature", GEOJSON),
        link(here, "collection", found.title),
    ]
    shown = {**in_system(one[0], crs or CRS84), "links": links}
    return JSONResponse(shown, media_type=GEOJSON, headers={"Content-Crs": f"<{crs or CRS84}>"})


def collection_of(name: str, caller: Caller) -> Collection:
    """Return a collection.

    Raises:
        NotFound: there is none, or it is not open to the caller.
    """
    found = COLLECTIONS.get(name)
    if found is None or not found.is_open_to(caller):
        raise NotFound("collection", name)
    return found


def base_of(request: Request, public_url: str | None, folder: str = "ogc") -> str:
    """Return the address that links begin with."""
    return f"{(public_url or str(request.base_url)).rstrip('/')}/{folder}"


def link(href: str, rel: str, title: str, kind: str = "application/json") -> dict[str, str]:
    return {"href": href, "rel": rel, "type": kind, "title": title}


def _equals(request: Request, found: Collection) -> dict[str, str]:
    """Return the parameters that name a property; any other is refused, as the standard asks."""
    others = {k: v for k, v in request.query_params.items() if k not in _PARAMETERS}
    if unknown := others.keys() - found.columns.keys():
        raise BadQuery(f"there is no parameter or property {', '.join(sorted(unknown))}")
    return others


def _described(found: Collection, base: str) -> dict[str, Any]:
    here = f"{base}/collections/{found.id}"
    return {
        "id": found.id,
        "title": found.title,
        "description": found.description,
        "itemType": "feature",
        "crs": list(SYSTEMS),
        "storageCrs": CRS84,
        "extent": {"spatial": {"bbox": [[-180.0, -90.0, 180.0, 90.0]], "crs": CRS84}},
        "links": [
            link(here, "self", found.title),
            link(f"{here}/items", "items", "the features", GEOJSON),
            link(
                f"{here}/queryables",
                "http://www.opengis.net/def/rel/ogc/1.0/queryables",
                "what a filter may name",
                SCHEMA,
            ),
        ],
    }
