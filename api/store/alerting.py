"""Alerts: one incident told to one agency, as rows, and the messages they owe."""

from collections.abc import Sequence
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload
from structlog.stdlib import get_logger

from api import alerts, views
from api.alerts import NotifyReason, Told
from api.delivery.message import alert_message
from api.errors import Conflict, NotFound
from api.store import events, outbox
from api.store.models import AlertRow, IncidentRow
from api.store.receivers import listening
from api.store.tables.delivery import ReceiverRow
from api.store.tokens import Caller, Role
from missions.model import Agency, Hazard, Severity, Site
from vision.model import Incident

log = get_logger(__name__)


async def tell(
    session: AsyncSession,
    row: IncidentRow,
    incident: Incident,
    *,
    site: Site,
    now: datetime,
    public_url: str | None,
) -> tuple[list[str], list[str]]:
    """Raise or update the alerts of an incident; return (ids of alerts told, all agencies that know)."""
    known = {a.agency: a for a in await session.scalars(_whole().where(AlertRow.incident == row.id))}
    receivers = await listening(session)
    told: list[AlertRow] = []
    for agency in site.agencies:
        before = known.get(agency.id)
        reason = alerts.decide(incident, agency, _history(before), now)
        log.debug("alert decided", incident=row.id, agency=agency.id, reason=reason.value)
        if not reason.tells:
            continue
        alert = known[agency.id] = before or _new(row, agency, now)
        _update(alert, row, reason, now)
        session.add(alert)
        for receiver in receivers.get(agency.id, ()):
            _promise(alert, row, reason, receiver, site=site, now=now, public_url=public_url)
        told.append(alert)
    lines = [receiver.id for alert in told for receiver in receivers.get(alert.agency, ())]
    await outbox.hurry(session, lines, now=now)
    for alert in told:
        shown = views.plain(views.alert(alert))
        await events.append(session, "alert", shown, now=now, agencies=[alert.agency])
    return [alert.id for alert in told], sorted(known)


async def alerts_of(session: AsyncSession, caller: Caller, *, limit: int = 1000) -> Sequence[AlertRow]:
    """Return the alerts the caller may see, last told first, deliveries loaded."""
    query = _visible(_whole(), caller).order_by(AlertRow.told_at.desc(), AlertRow.id).limit(limit)
    return (await session.scalars(query)).all()


async def alert(session: AsyncSession, alert_id: str, caller: Caller) -> AlertRow:
    """Return one alert, deliveries loaded.

    Raises:
        NotFound: there is none, or it is not the caller's.
    """
    row = await session.scalar(_visible(_whole(), caller).where(AlertRow.id == alert_id))
    if row is None:
        raise NotFound("alert", alert_id)
    return row


async def acknowledge(session: AsyncSession, alert_id: str, caller: Caller, *, now: datetime) -> AlertRow:
    """Note that somebody has taken an alert in hand; a second time changes nothing.

    Raises:
        NotFound: there is none, or it is not the caller's.
        Conflict: it was cancelled.
    """
    row = await alert(session, alert_id, caller)
    if row.state == "acknowledged":
        return row
    if row.state == "cancelled":
        raise Conflict(f"alert {alert_id} was cancelled: there is nothing to acknowledge")
    row.state, row.acknowledged_at, row.acknowledged_by = "acknowledged", now, caller.name
    await session.flush()
    await events.append(session, "alert", views.plain(views.alert(row)), now=now, agencies=[row.agency])
    return row


def _new(row: IncidentRow, agency: Agency, now: datetime) -> AlertRow:
    return AlertRow(
        id=uuid5(NAMESPACE_URL, f"urn:gridpatrol:alert:{row.id}:{agency.id}").hex,
        incident=row.id,
        agency=agency.id,
        hazard=row.hazard,
        raised_at=now,
        revision=0,
        history=[],
        deliveries=[],
    )


def _update(alert: AlertRow, row: IncidentRow, reason: NotifyReason, now: datetime) -> None:
    """Write into the alert what its agency is now told; news reopens what was acknowledged.

    The incident as it now is goes with it: what was published once (CAP) must
    not change when the next look moves the incident.
    """
    alert.state = "raised" if reason is NotifyReason.FIRST else "updated"
    alert.severity = row.severity
    alert.place_name = row.place_name
    alert.title = alerts.title(Hazard(row.hazard), row.place_name)
    alert.told_at, alert.revision = now, alert.revision + 1
    alert.acknowledged_at = alert.acknowledged_by = None
    entry = {
        "revision": alert.revision,
        "reason": reason.value,
        "severity": row.severity,
        "area_m2": row.area_m2,
        "told_at": now.isoformat(),
        "incident": views.plain(views.incident(row, [alert.agency])),
    }
    alert.history = [*alert.history, entry]


def _promise(
    alert: AlertRow,
    row: IncidentRow,
    reason: NotifyReason,
    receiver: ReceiverRow,
    *,
    site: Site,
    now: datetime,
    public_url: str | None,
) -> None:
    """Put the message to one of the agency's receivers into the outbox."""
    message_id = outbox.new_message_id()
    body = alert_message(
        message_id,
        site=site.id,
        alert=alert,
        incident=views.incident(row, [alert.agency]),
        reason=reason,
        now=now,
        public_url=public_url,
    )
    alert.deliveries.append(outbox.message(message_id, receiver=receiver, body=body, now=now))


def _history(row: AlertRow | None) -> Told | None:
    """Return the worst and the largest an agency was ever told, and when it was told last."""
    if row is None or not row.history:
        return None
    return Told(
        severity=max((Severity(h["severity"]) for h in row.history), key=lambda s: s.rank),
        area_m2=max((h["area_m2"] or 0.0 for h in row.history), default=None),
        told_at=row.told_at,
    )


def _whole() -> Select[AlertRow]:
    loaded = select(AlertRow).options(selectinload(AlertRow.deliveries))
    return loaded.execution_options(populate_existing=True)


def _visible(query: Select[AlertRow], caller: Caller) -> Select[AlertRow]:
    return query.where(AlertRow.agency == caller.agency) if caller.role is Role.AGENCY else query
