"""Alerts, and where an agency wants them sent."""

from typing import Any

from fastapi import APIRouter, Response

from api import etags, views, views_work
from api.alerts import AlertAct
from api.auth import Built, Watcher
from api.delivery.guard import check_url
from api.doers import on_alerts
from api.errors import NotFound
from api.etags import IfMatch
from api.schemas import Agencies, AgencyOut, AlertOut, Alerts, WebhookIn, WebhookOut
from api.schemas_work import AlertHistory, NoteIn, ShelfIn
from api.services import Services
from api.store import alerting, receivers
from api.store.tokens import Caller

router = APIRouter(tags=["alerts"])


@router.get("/alerts")
async def list_alerts(caller: Watcher, built: Built) -> Alerts:
    """List alerts with the state of their deliveries, last told first."""
    async with built.database.read() as session:
        return Alerts(alerts=[views.alert(row) for row in await alerting.alerts_of(session, caller)])


@router.get("/alerts/{alert_id}")
async def one_alert(alert_id: str, response: Response, caller: Watcher, built: Built) -> AlertOut:
    """Give one alert; its ETag goes into If-Match of what changes it."""
    async with built.database.read() as session:
        row = await alerting.alert(session, alert_id, caller)
    response.headers["ETag"] = etags.etag(row.version)
    return views.alert(row)


@router.get("/alerts/{alert_id}/history")
async def alert_history(alert_id: str, caller: Watcher, built: Built) -> AlertHistory:
    """Give everything that happened to an alert: told, called, taken in hand, put aside."""
    async with built.database.read() as session:
        row = await alerting.alert(session, alert_id, caller)
        return views_work.history(row, await alerting.steps(session, row.id))


@router.post("/alerts/{alert_id}/acknowledge")
async def acknowledge(
    alert_id: str, response: Response, caller: Watcher, built: Built, if_match: IfMatch = None
) -> AlertOut:
    """Say that somebody has taken this alert in hand; nobody is called any more. Again changes nothing."""
    return await _act(alert_id, AlertAct.ACKNOWLEDGE, response, caller, built, if_match)


@router.post("/alerts/{alert_id}/shelve")
async def shelve(
    alert_id: str,
    wish: ShelfIn,
    response: Response,
    caller: Watcher,
    built: Built,
    if_match: IfMatch = None,
) -> AlertOut:
    """Put an alert aside until a time; it comes back then, or at once when the incident gets worse."""
    act, until_at = AlertAct.SHELVE, wish.until_at
    return await _act(alert_id, act, response, caller, built, if_match, note=wish.note, until_at=until_at)


@router.post("/alerts/{alert_id}/unshelve")
async def unshelve(
    alert_id: str, response: Response, caller: Watcher, built: Built, if_match: IfMatch = None
) -> AlertOut:
    """Take an alert back from the shelf."""
    return await _act(alert_id, AlertAct.UNSHELVE, response, caller, built, if_match)


@router.post("/alerts/{alert_id}/cancel")
async def cancel(
    alert_id: str,
    wish: NoteIn,
    response: Response,
    caller: Watcher,
    built: Built,
    if_match: IfMatch = None,
) -> AlertOut:
    """Say that an alert was nothing, and why; whoever was told of it is told so."""
    return await _act(alert_id, AlertAct.CANCEL, response, caller, built, if_match, note=wish.note)


async def _act(
    alert_id: str,
    act: AlertAct,
    response: Response,
    caller: Caller,
    built: Services,
    if_match: str | None,
    **more: Any,
) -> AlertOut:
    """Do something to an alert that is the caller's, when it is still the one the caller has read."""
    now, doer = built.clock.now(), on_alerts(caller, built.site)
    telling = alerting.Telling(built.site, now, built.options.public_url)
    async with built.database.write() as session:
        row = await alerting.alert(session, alert_id, caller)
        etags.check(if_match, row.version)
        row = await alerting.act(
            session, row, act, by=doer.by, name=doer.name, now=now, telling=telling, **more
        )
        found = await alerting.whole(session, row.id)
        shown = views.alert(found or row)
        response.headers["ETag"] = etags.etag(row.version)
    built.feed.wake()
    return shown


@router.get("/agencies")
async def list_agencies(caller: Watcher, built: Built) -> Agencies:
    """List the agencies and what they asked to hear of; an agency sees itself."""
    seen = [
        AgencyOut(
            id=agency.id,
            name=dict(agency.name),
            language=agency.language,
            hazards=sorted({hazard.value for s in agency.subscriptions for hazard in s.hazards}),
        )
        for agency in built.site.agencies
        if caller.may_see(agency.id)
    ]
    return Agencies(agencies=seen)


@router.put("/agencies/{agency_id}/webhook")
async def set_webhook(
    agency_id: str, wish: WebhookIn, caller: Watcher, built: Built, if_match: IfMatch = None
) -> WebhookOut:
    """Send an agency's alerts to a URL from now on, signed after the Standard Webhooks specification.

    The secret is shown this once. Addresses inside private networks are refused
    unless the operator's settings allow them.
    """
    known = any(agency.id == agency_id for agency in built.site.agencies)
    if not known or not caller.may_see(agency_id):
        raise NotFound("agency", agency_id)
    await check_url(wish.url, built.options.allowed_networks)
    async with built.database.write() as session:
        there = await receivers.webhook_of(session, agency_id)
        etags.check_shown(if_match, views_work.receiver(there) if there else None)
        secret = await receivers.set_webhook(session, agency_id, wish.url, now=built.clock.now())
    built.feed.wake()
    return WebhookOut(url=wish.url, secret=secret)
