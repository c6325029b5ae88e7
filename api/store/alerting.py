"""Alerts: one incident told to one agency, as rows, the steps they took, and the messages they owe."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload
from structlog.stdlib import get_logger

from api import alerts, views
from api.alerts import AlertAct, AlertState, Decision, NotifyReason, Told
from api.delivery.message import alert_message
from api.discretion import known_to
from api.errors import BadRequest, NotFound
from api.mutes import Mute
from api.orders import By
from api.routing import Places, grounds_of
from api.store import alert_rows, escalating, events, muting, outbox
from api.store.live import LiveIncidents, to_incident
from api.store.models import AlertRow, IncidentRow
from api.store.receivers import listening
from api.store.tables.delivery import ReceiverRow
from api.store.tables.orders import AlertStepRow, RouteRow, StormRow
from api.store.tenancy import owned
from api.store.tokens import Caller
from missions.model import Agency, Severity, Site
from vision.model import Incident

log = get_logger(__name__)

LONGEST_SHELF = timedelta(hours=24)

_ALERTS, _ROUTES = AlertRow.__table__.c, RouteRow.__table__.c
_THEIRS: BindParameter[list[str]] = bindparam("incidents", expanding=True)
_STANDS = select(
    _ALERTS.id, _ALERTS.incident, _ALERTS.agency, _ALERTS.revision, _ALERTS.state, _ALERTS.told_at
).where(_ALERTS.incident.in_(_THEIRS))
_DECIDED = select(_ROUTES.incident, _ROUTES.agency, _ROUTES.concern, _ROUTES.notify, _ROUTES.severity).where(
    _ROUTES.incident.in_(_THEIRS)
)


@dataclass(frozen=True, slots=True)
class Telling:
    """For which site, when, and with which address in links."""

    site: Site
    now: datetime
    public_url: str | None = None


@dataclass(slots=True)
class Outcome:
    """What telling did: ids of the alerts told; by incident who was ever told, and who may see it."""

    alerts: tuple[str, ...] = ()
    knowing: Mapping[str, list[str]] = field(default_factory=dict)
    seeing: Mapping[str, list[str]] = field(default_factory=dict)


async def tell_all(
    session: AsyncSession,
    incidents: Sequence[tuple[IncidentRow, Incident]],
    telling: Telling,
    live: LiveIncidents | None = None,
) -> Outcome:
    """Decide for incidents and every agency, raise or update alerts, promise their messages."""
    round_ = await _Round.begin(session, incidents, telling, live)
    for row, incident in incidents:
        await round_.consider(row, incident)
    return await round_.finish()


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


async def act(
    session: AsyncSession,
    row: AlertRow,
    act: AlertAct,
    *,
    by: Iterable[By],
    name: str,
    now: datetime,
    note: str | None = None,
    until_at: datetime | None = None,
    telling: Telling | None = None,
) -> AlertRow:
    """Do something to an alert that was read in this transaction; acknowledging again changes nothing.

    Raises:
        IllegalMove: it is in no state for that.
        Forbidden: it is not for whoever asks.
        BadRequest: a shelf without an end, or one that ends too late; a cancellation without a reason.

    telling: with it a cancellation is told to the agency's receivers.
    """
    before, mine = AlertState(row.state), set(by)
    after = alerts.moved(before, act, by=mine)
    if before is after and act is AlertAct.ACKNOWLEDGE:
        return row
    if act is AlertAct.SHELVE and not (until_at and now < until_at <= now + LONGEST_SHELF):
        hours = LONGEST_SHELF.total_seconds() / 3600
        raise BadRequest(f"shelve needs `until_at`, a time within {hours:.0f} hours from now")
    if act is AlertAct.CANCEL and not note:
        raise BadRequest("cancel needs `note`: why")
    row.state, row.version = after.value, row.version + 1
    row.shelved_until = until_at if act is AlertAct.SHELVE else None
    if act is AlertAct.ACKNOWLEDGE:
        row.acknowledged_at, row.acknowledged_by = now, name
    await escalating.stop(session, row.id, now=now)
    if act is AlertAct.SHELVE and until_at is not None:
        await escalating.unshelve_at(session, row.id, until_at, now=now)
    session.add(alert_rows.step(row, act.value, by=name, now=now, note=note))
    if act is AlertAct.CANCEL and telling is not None:
        await _say(session, row, NotifyReason.CANCELLED, telling)
    await session.flush()
    await events.append(session, "alert", views.plain(views.alert(row)), now=now, agencies=[row.agency])
    return row


async def acknowledge(session: AsyncSession, alert_id: str, caller: Caller, *, now: datetime) -> AlertRow:
    """Note that somebody has taken an alert in hand; a second time changes nothing.

    Raises:
        NotFound: there is none, or it is not the caller's.
        IllegalMove: it was cancelled.
    """
    row = await alert(session, alert_id, caller)
    return await act(session, row, AlertAct.ACKNOWLEDGE, by=(By.OFFICER,), name=caller.name, now=now)


async def cancel_all(
    session: AsyncSession, incident_id: str, telling: Telling, *, note: str
) -> list[AlertRow]:
    """Cancel what was told of an incident that is over; return the alerts that were not cancelled before."""
    rows = await session.scalars(
        _whole().where(AlertRow.incident == incident_id).with_for_update(of=AlertRow)
    )
    live = [row for row in rows if row.state != AlertState.CANCELLED]
    for row in live:
        by, now = (By.SERVICE,), telling.now
        await act(session, row, AlertAct.CANCEL, by=by, name="service", now=now, note=note, telling=telling)
    return live


async def _say(session: AsyncSession, row: AlertRow, reason: NotifyReason, telling: Telling) -> None:
    """Promise a message to everybody who was told of an alert at once."""
    incident = await session.get_one(IncidentRow, row.incident)
    lines = (await listening(session)).get(row.agency, [])
    session.add_all(promised(row, incident, reason, receiver, telling) for receiver in lines)
    await session.flush()
    await outbox.hurry(session, [receiver.id for receiver in lines], now=telling.now)


async def whole(session: AsyncSession, alert_id: str) -> AlertRow | None:
    """Lock and return an alert with its deliveries, None when there is none."""
    return await session.scalar(_whole().where(AlertRow.id == alert_id).with_for_update(of=AlertRow))


async def steps(session: AsyncSession, alert_id: str) -> Sequence[AlertStepRow]:
    """Return everything that happened to an alert, oldest first."""
    query = select(AlertStepRow).where(AlertStepRow.alert == alert_id).order_by(AlertStepRow.seq)
    return (await session.scalars(query)).all()


async def waiting_for_review(
    session: AsyncSession, caller: Caller, *, limit: int = 500
) -> Sequence[tuple[RouteRow, IncidentRow]]:
    """Return what was too uncertain to tell an agency of and nobody has looked at, the latest first."""
    query = (
        select(RouteRow, IncidentRow)
        .join(IncidentRow, IncidentRow.id == RouteRow.incident)
        .where(RouteRow.review == "waiting", owned(caller, RouteRow.agency))
        .order_by(RouteRow.decided_at.desc(), RouteRow.incident)
        .limit(limit)
    )
    return [(route, row) for route, row in (await session.execute(query)).all()]


async def reviewed(
    session: AsyncSession, incident_id: str, agency: str, caller: Caller
) -> tuple[RouteRow, IncidentRow]:
    """Lock and return what an incident is to an agency, with the incident.

    Raises:
        NotFound: it is nothing to that agency, or not the caller's to see.
    """
    route = await session.get(RouteRow, (incident_id, agency), with_for_update=True)
    if route is None or not caller.may_see(agency):
        raise NotFound("incident", incident_id)
    return route, await session.get_one(IncidentRow, incident_id)


async def raise_now(
    session: AsyncSession, row: IncidentRow, route: RouteRow, telling: Telling, *, by: str
) -> AlertRow:
    """Tell an agency of an incident because a person says that it is real; return the alert."""
    round_ = await _Round.begin(session, [(row, to_incident(row, whole=False))], telling, None)
    alert_id = await round_.tell_anyway(row, telling.site.agency(route.agency))
    route.review, route.reviewed_by, route.reviewed_at = "raised", by, telling.now
    route.notify = NotifyReason.FIRST.value
    await round_.finish()
    found = await whole(session, alert_id)
    assert found is not None
    return found


class _Round:
    """One round of telling: what is known before, what comes out."""

    def __init__(self, session: AsyncSession, telling: Telling, live: LiveIncidents | None) -> None:
        self._session = session
        self._telling = telling
        self._live = live or LiveIncidents()
        self._alerts: dict[tuple[str, str], AlertRow] = {}  # those whose rows are at hand
        self._before: dict[tuple[str, str], tuple[str, Told | None]] = {}  # of the others: id, what was told
        self._routes: dict[tuple[str, str], tuple[str, ...]] = {}  # concern, notify, severity
        self._news: dict[tuple[str, str], tuple[IncidentRow, Decision, bool]] = {}  # the last: no row yet
        self._mutes: list[Mute] = []
        self._receivers: dict[str, list[ReceiverRow]] | None = None
        self._touched: dict[str, set[str]] = {}
        self._rows: dict[str, IncidentRow] = {}
        self._asked: set[str] = set()  # incidents whose alerts and routes are at hand
        self._told: dict[str, AlertRow] = {}
        self._owed: list[Any] = []

    @classmethod
    async def begin(
        cls,
        session: AsyncSession,
        incidents: Sequence[tuple[IncidentRow, Incident]],
        telling: Telling,
        live: LiveIncidents | None,
    ) -> "_Round":
        """Read what all decisions need, in a handful of statements."""
        self = cls(session, telling, live)
        await session.flush()  # what follows asks for columns alone, which by itself writes nothing down
        self._rows = {row.id: row for row, _ in incidents}
        self._find_grounds([incident for _, incident in incidents])
        storms = {self._live.storms[name] for name in self._rows if name in self._live.storms}
        await self._read([*self._rows, *(storms - self._rows.keys())])
        self._mutes = await muting.active(session, now=telling.now)
        return self

    async def consider(self, row: IncidentRow, incident: Incident) -> None:
        """Decide what one incident is to every agency and act on it."""
        for agency in self._telling.site.agencies:
            before = self._told_before(row.id, agency.id)
            is_on_ground = agency.id in self._touched[row.id]
            if not is_on_ground and before is None and (row.id, agency.id) not in self._routes:
                continue
            storm = None if before else self._live.storms.get(row.id) or self._storm_of(incident)
            decision = alerts.decide(
                incident,
                agency,
                before,
                self._telling.now,
                is_on_ground=is_on_ground,
                mutes=[mute for mute in self._mutes if mute.agency == agency.id],
                storm=storm,
            )
            if decision.notify is NotifyReason.PART_OF_STORM and storm is not None:
                decision = await self._join_storm(row, incident, agency, storm, decision)
            self._note(row, agency, decision)
            if decision.notify.tells:
                await self._tell(row, agency, decision.notify)

    async def tell_anyway(self, row: IncidentRow, agency: Agency) -> str:
        """Tell an agency whatever the decision would be; return the alert's id."""
        await self._tell(row, agency, NotifyReason.FIRST)
        return self._alerts[row.id, agency.id].id

    async def finish(self) -> Outcome:
        """Write what was decided, say it in the event stream, and return it."""
        told = list(self._told)
        await self._keep_news()
        # Alerts first: what they owe points to them.
        await self._session.flush()
        self._session.add_all(self._owed)
        await self._session.flush()
        if told:
            receivers = self._receivers or {}
            lines = [r.id for row in self._told.values() for r in receivers.get(row.agency, ())]
            await outbox.hurry(self._session, lines, now=self._telling.now)
            whole = await self._session.scalars(_whole().where(AlertRow.id.in_(told)).order_by(AlertRow.id))
            for row in whole:
                shown = views.plain(views.alert(row))
                await events.append(
                    self._session, "alert", shown, now=self._telling.now, agencies=[row.agency]
                )
        knowing, seeing = defaultdict(list), defaultdict(list)
        for incident, agency in sorted({*self._before, *self._alerts}):
            knowing[incident].append(agency)
        for incident, agency in sorted(self._routes):
            seeing[incident].append(agency)
        return Outcome(tuple(told), knowing, seeing)

    async def _read(self, incidents: list[str]) -> None:
        asked = {"incidents": incidents}
        self._asked |= set(incidents)
        stands = (await self._session.execute(_STANDS, asked)).all()
        await self._read_histories({one.id for one in stands if self._history_of(one) is None})
        for one in stands:
            told = self._history_of(one)
            now = replace(told, state=AlertState(one.state), told_at=one.told_at) if told else None
            self._before[one.incident, one.agency] = one.id, now
        for incident, agency, *said in await self._session.execute(_DECIDED, asked):
            self._routes[incident, agency] = tuple(said)

    def _history_of(self, one: Any) -> Told | None:
        """Return what was told with an alert's latest revision, where this process has read it before."""
        revision, told = self._live.histories.get(one.id, (None, None))
        return told if revision == one.revision else None

    async def _read_histories(self, alerts: set[str]) -> None:
        """Read the histories of alerts; each is long, and stays as it is until its next revision."""
        if not alerts:
            return
        wanted = select(AlertRow.id, AlertRow.revision, AlertRow.history, AlertRow.told_at, AlertRow.state)
        for one in await self._session.execute(wanted.where(AlertRow.id.in_(alerts))):
            if told := alert_rows.told_by(one.history, one.told_at, one.state):
                self._live.histories[one.id] = one.revision, told

    def _told_before(self, incident: str, agency: str) -> Told | None:
        """Return what an agency knows of an incident, this round's telling counted."""
        if row := self._alerts.get((incident, agency)):
            return alert_rows.told_by(row.history, row.told_at, row.state)
        return self._before.get((incident, agency), ("", None))[1]

    async def _alert_row(self, incident: str, agency: str) -> AlertRow | None:
        """Return an alert's row, None where there is no such alert yet."""
        key = incident, agency
        if key not in self._alerts and key in self._before:
            self._alerts[key] = await self._session.get_one(AlertRow, self._before[key][0])
        return self._alerts.get(key)

    def _find_grounds(self, incidents: Sequence[Incident]) -> None:
        grounds = grounds_of(self._telling.site)
        places = Places.of((incident.place, incident.ellipse) for incident in incidents)
        self._touched = {incident.id: set() for incident in incidents}
        for incident, agency in zip(*grounds.touched(places), strict=True):
            self._touched[incidents[incident].id].add(grounds.agencies[agency].id)

    def _storm_of(self, incident: Incident) -> str | None:
        return alerts.storm_of(incident, self._live.by_id.values(), self._live.storms)

    async def _join_storm(
        self, row: IncidentRow, incident: Incident, agency: Agency, storm: str, decision: Decision
    ) -> Decision:
        """Let the storm's alert speak for a part of it, unless the agency knows of no storm."""
        if storm not in self._asked:
            await self._read([storm])
        told = self._told_before(storm, agency.id)
        if told is None:
            return Decision(decision.route, NotifyReason.FIRST)
        if row.id not in self._live.storms:
            self._live.storms[row.id] = storm
            self._session.add(StormRow(incident=row.id, storm=storm, joined_at=self._telling.now))
        parts = 1 + sum(other == storm for other in self._live.storms.values())
        news = alerts.storm_news(incident, told, parts, self._telling.now)
        if news.tells:
            if storm not in self._rows:
                self._rows[storm] = await self._session.get_one(IncidentRow, storm)
            await self._tell(self._rows[storm], agency, news, severity=Severity(row.severity), parts=parts)
        return decision

    def _note(self, row: IncidentRow, agency: Agency, decision: Decision) -> None:
        """Remember what an incident is to an agency, and why, when that is news."""
        key, found = (row.id, agency.id), decision.route
        before, now = self._routes.get(key), (found.concern.value, decision.notify.value, row.severity)
        if before == now or (before is None and not found.concern.is_its_own):
            return
        self._routes[key] = now
        self._news[key] = row, decision, before is None

    async def _keep_news(self) -> None:
        """Write down what was decided anew; the rows there are already come in one statement."""
        known = {row.id for row, _, is_new in self._news.values() if not is_new}
        kept: dict[tuple[str, str], RouteRow] = {}
        if known:
            rows = await self._session.scalars(select(RouteRow).where(RouteRow.incident.in_(known)))
            kept = {(route.incident, route.agency): route for route in rows}
        for (incident, agency), (row, decision, is_new) in self._news.items():
            if is_new:
                route = RouteRow(incident=incident, agency=agency, hazard=row.hazard)
                self._session.add(route)
            else:
                route = kept[incident, agency]
            self._decide(route, row, decision)

    def _decide(self, known: RouteRow, row: IncidentRow, decision: Decision) -> None:
        found = decision.route
        known.concern, known.reason = found.concern.value, found.reason
        known.notify, known.severity = decision.notify.value, row.severity
        known.decided_at = self._telling.now
        if decision.notify is NotifyReason.TOO_UNCERTAIN:
            known.review = known.review or "waiting"
        elif known.review == "waiting":
            known.review = None
        log.debug("decided", incident=row.id, agency=known.agency, concern=known.concern, notify=known.notify)

    async def _tell(
        self,
        row: IncidentRow,
        agency: Agency,
        reason: NotifyReason,
        *,
        severity: Severity | None = None,
        parts: int = 1,
    ) -> None:
        now = self._telling.now
        alert = await self._alert_row(row.id, agency.id)
        if self._receivers is None:
            self._receivers = await listening(self._session)
        if alert is None:
            alert = self._alerts[row.id, agency.id] = alert_rows.new(row, agency, now)
        knows = known_to(agency.id, self._telling.site)
        alert_rows.write(alert, row, reason, now, severity=severity, parts=parts, knows=knows)
        self._session.add(alert)
        for receiver in self._receivers.get(agency.id, ()):
            self._owed.append(promised(alert, row, reason, receiver, self._telling))
        self._owed.append(alert_rows.step(alert, reason.value, by="service", now=now, note=None))
        await escalating.begin(self._session, alert, agency, self._telling.site, now=now)
        self._told[alert.id] = alert


def promised(
    alert: AlertRow, row: IncidentRow, reason: NotifyReason, receiver: ReceiverRow, telling: Telling
) -> Any:
    """Return the row that promises an alert to one of its agency's receivers."""
    message_id = outbox.new_message_id()
    body = alert_message(
        message_id,
        site=telling.site.id,
        alert=alert,
        incident=views.incident(row, [alert.agency], knows=known_to(alert.agency, telling.site)),
        reason=reason,
        now=telling.now,
        public_url=telling.public_url,
    )
    delivery = outbox.message(message_id, receiver=receiver, body=body, now=telling.now)
    delivery.alert = alert.id
    return delivery


def _whole() -> Select[AlertRow]:
    loaded = select(AlertRow).options(selectinload(AlertRow.deliveries))
    return loaded.execution_options(populate_existing=True)


def _visible(query: Select[AlertRow], caller: Caller) -> Select[AlertRow]:
    return query.where(owned(caller, AlertRow.agency))
