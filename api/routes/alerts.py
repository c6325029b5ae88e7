"""Alerts, and where an agency wants them sent."""

from fastapi import APIRouter

from api import views
from api.auth import Built, Watcher
from api.delivery.guard import check_url
from api.errors import NotFound
from api.schemas import Agencies, AgencyOut, AlertOut, Alerts, WebhookIn, WebhookOut
from api.store import alerting, receivers

router = APIRouter(tags=["alerts"])


@router.get("/alerts")
async def list_alerts(caller: Watcher, built: Built) -> Alerts:
    """List alerts with the state of their deliveries, last told first."""
    async with built.database.read() as session:
        return Alerts(alerts=[views.alert(row) for row in await alerting.alerts_of(session, caller)])


@router.post("/alerts/{alert_id}/acknowledge")
async def acknowledge(alert_id: str, caller: Watcher, built: Built) -> AlertOut:
    """Say that somebody has taken this alert in hand; a second time changes nothing."""
    async with built.database.write() as session:
        row = await alerting.acknowledge(session, alert_id, caller, now=built.clock.now())
        shown = views.alert(row)
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
async def set_webhook(agency_id: str, wish: WebhookIn, caller: Watcher, built: Built) -> WebhookOut:
    """Send an agency's alerts to a URL from now on, signed after the Standard Webhooks specification.

    The secret is shown this once. Addresses inside private networks are refused
    unless the operator's settings allow them.
    """
    known = any(agency.id == agency_id for agency in built.site.agencies)
    if not known or not caller.may_see(agency_id):
        raise NotFound("agency", agency_id)
    await check_url(wish.url, built.options.allowed_networks)
    async with built.database.write() as session:
        secret = await receivers.set_webhook(session, agency_id, wish.url, now=built.clock.now())
    built.feed.wake()
    return WebhookOut(url=wish.url, secret=secret)
