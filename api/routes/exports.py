"""Bulk files of the open collections: what a caller may see, all of it or a part."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api import showing, verdicts
from api.auth import Built, Watcher
from api.errors import TooLarge
from api.opendata.bulk import MEDIA, MOST, Format, written
from api.opendata.features import Feature, features
from api.opendata.query import wanted
from api.routes.ogc import collection_of
from api.store import frames, judging

router = APIRouter(tags=["exports"])

MOST_CROPS = 500

Text = Annotated[str | None, Query(max_length=2000)]


@router.get("/verdicts.csv", response_class=Response)
async def verdicts_table(caller: Watcher, built: Built) -> Response:
    """Give the verdicts of closed orders beside what detectors said, as `gridpatrol calibrate` reads it."""
    async with built.database.read() as session:
        rows = await judging.judged(session, caller)
    headers = {"Content-Disposition": 'attachment; filename="labels.csv"'}
    return Response(
        verdicts.table(rows, built.site, knows=caller.knows),
        media_type="text/csv; charset=utf-8",
        headers=headers,
    )


@router.get("/verdicts.zip", response_class=Response)
async def verdicts_with_crops(caller: Watcher, built: Built) -> Response:
    """Give the same table with a crop of each look (of the newest 500), for `gridpatrol calibrate`."""
    async with built.database.read() as session:
        rows = await judging.judged(session, caller)
        newest = rows[-MOST_CROPS:]
        found = await frames.detections_of(session, sorted({row.frame.id for row in newest}), caller)
    crops = {}
    for one in newest:
        its = found.get(one.frame.id, [])
        which = next((d for d in its if judging.is_of(d, one.look)), None)
        part = await showing.crop(built, one.frame, its, caller, which) if which else None
        if part is not None:
            crops[one.look.id] = part
    data = await asyncio.to_thread(verdicts.package, rows, built.site, crops, knows=caller.knows)
    headers = {"Content-Disposition": 'attachment; filename="verdicts.zip"'}
    return Response(data, media_type="application/zip", headers=headers)


@router.get("/exports/{name}.{kind}", response_class=Response)
async def export(
    name: str,
    kind: Format,
    caller: Watcher,
    built: Built,
    bbox: Text = None,
    datetime: Text = None,
    filter: Text = None,
) -> Response:
    """Give a collection as one GeoJSON, GeoPackage or CSV file; the filter is CQL2 text."""
    found = collection_of(name, caller)
    asked = wanted(found, bbox=bbox, datetime_=datetime, filter_=filter)
    taken: list[Feature] = []
    async with built.database.read() as session:
        async for feature in features(session, found, caller, since=asked.since, until=asked.until):
            if asked.takes(feature):
                taken.append(feature)
            if len(taken) > MOST:
                raise TooLarge(f"more than {MOST} features: ask for a shorter time or a smaller area")
    data = await asyncio.to_thread(written, found, taken, kind)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind.value}"'}
    return Response(data, media_type=MEDIA[kind], headers=headers)
