"""CAP 1.2 documents and their Atom feed, each reader seeing its own."""

from fastapi import APIRouter, Request, Response

from api.auth import Built, Watcher
from api.delivery.cap import CAP_TYPE, cap_xml, feed_xml
from api.store import alerting

router = APIRouter(tags=["cap"])

FEED_LENGTH = 100
"""At about 1 kB an entry the feed stays within the 100 kB that feed readers like."""


@router.get("/cap/feed.atom", response_class=Response)
async def feed(request: Request, caller: Watcher, built: Built) -> Response:
    """Give the latest alerts as an Atom feed with a link to each CAP document."""
    async with built.database.read() as session:
        rows = await alerting.alerts_of(session, caller, limit=FEED_LENGTH)
    url = (built.options.public_url or str(request.base_url)).rstrip("/")
    body = feed_xml(list(rows), site=built.site, options=built.options, now=built.clock.now(), url=url)
    return Response(body, media_type="application/atom+xml")


@router.get("/cap/{alert_id}.xml", response_class=Response)
async def document(alert_id: str, caller: Watcher, built: Built) -> Response:
    """Give one alert as a CAP 1.2 document."""
    async with built.database.read() as session:
        alert = await alerting.alert(session, alert_id, caller)
    return Response(cap_xml(alert, site=built.site, options=built.options), media_type=CAP_TYPE)
