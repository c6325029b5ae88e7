"""Work orders as rows: made, moved, worked on, looked at from the air, closed and rated.

Every change is one step of an append-only history and one more version, and goes
into the event stream of the order's agency and of whoever leads the incident.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from api import orders
from api.errors import BadRequest, Conflict, Forbidden, IllegalMove, NotFound
from api.escalation import Watch
from api.orders import Act, By, LookState, Order, OrderState, Verdict, Wish
from api.store import events, reports, timers
from api.store.models import IncidentRow
from api.store.rows import insert_once
from api.store.tables.orders import LeadRow, OrderPictureRow, OrderRow, OrderStepRow, RouteRow
from api.store.tables.witnesses import LookRequestRow
from api.store.tenancy import seen_orders
from api.store.tokens import Caller
from api.verification import Outcome, Purpose, request_look
from missions.model import Hazard, Severity

OVERDUE, WATCH = "order_overdue", "watch_look"

HOPELESS_TRIES = 3
"""A look that could not be flown so often counts as impossible; a person may close then."""


@dataclass(frozen=True, slots=True)
class Doer:
    """Who does something: a name, the agency, and as what."""

    name: str
    agency: str | None
    by: frozenset[By]


SERVICE = Doer("service", None, frozenset({By.SERVICE}))


async def create(
    session: AsyncSession,
    incident: IncidentRow,
    agency: str,
    doer: Doer,
    *,
    now: datetime,
    order_id: str | None = None,
    respond_by: datetime | None = None,
    resolve_by: datetime | None = None,
    note: str | None = None,
) -> OrderRow:
    """Return a new order of an agency on an incident; the first one's agency leads until it names another.

    Raises:
        Forbidden: whoever asks makes no orders.
        BadRequest: the incident is not the agency's, or the times are not in order.
        Conflict: the agency has an open order on it already.
    """
    if not doer.by & {By.OFFICER, By.CHIEF}:
        raise Forbidden("orders are made by officers and chiefs")
    if order_id and (known := await session.get(OrderRow, order_id)) is not None:
        return await order(session, known.id)
    if await session.get(RouteRow, (incident.id, agency)) is None:
        raise BadRequest(f"incident {incident.id} is not on the ground of {agency}, or not of its hazards")
    open_one = select(OrderRow.id).where(
        OrderRow.incident == incident.id,
        OrderRow.agency == agency,
        OrderRow.state.not_in([state.value for state in OrderState if state.is_done]),
    )
    if (taken := await session.scalar(open_one)) is not None:
        raise Conflict(f"{agency} has the open order {taken} on this incident")
    respond, resolve = orders.due_times(Severity(incident.severity), now)
    respond, resolve = respond_by or respond, resolve_by or max(resolve, respond_by or resolve)
    if not now <= respond <= resolve:
        raise BadRequest("an order is answered by a time from now on, and resolved after that")
    row = OrderRow(
        id=order_id or uuid4().hex,
        incident=incident.id,
        agency=agency,
        hazard=incident.hazard,
        severity=incident.severity,
        place_name=incident.place_name,
        state=OrderState.NEW.value,
        version=0,
        respond_by=respond,
        resolve_by=resolve,
        look=LookState.NONE.value,
        checklist=[{"item": item, "done_at": None, "done_by": None} for item in _items(incident.hazard)],
        created_by=doer.name,
        created_at=now,
        changed_at=now,
    )
    session.add(row)
    await session.flush()
    await insert_once(session, LeadRow, incident=incident.id, agency=agency, named_by=doer.name, named_at=now)
    await _set_overdue(session, row, now)
    return await _changed(session, row, "create", doer, now=now, note=note)


async def orders_of(
    session: AsyncSession, caller: Caller, *, state: str | None = None, incident: str | None = None
) -> Sequence[OrderRow]:
    """Return the orders the caller may see, the latest changed first, with steps and pictures."""
    query = _visible(_whole(), caller).order_by(OrderRow.changed_at.desc(), OrderRow.id).limit(500)
    if state is not None:
        query = query.where(OrderRow.state == state)
    if incident is not None:
        query = query.where(OrderRow.incident == incident)
    return (await session.scalars(query)).all()


async def order(
    session: AsyncSession, order_id: str, caller: Caller | None = None, *, to_change: bool = False
) -> OrderRow:
    """Return one order with steps and pictures; with a caller, one that it may see.

    Raises:
        NotFound: there is none, or it is not the caller's to see.
    """
    query = _whole().where(OrderRow.id == order_id)
    if caller is not None:
        query = _visible(query, caller)
    if to_change:
        query = query.with_for_update(of=OrderRow)
    row = await session.scalar(query)
    if row is None:
        raise NotFound("order", order_id)
    return row


async def act(
    session: AsyncSession, row: OrderRow, act: Act, wish: Wish, doer: Doer, *, now: datetime, watch: Watch
) -> OrderRow:
    """Move an order that was read in this transaction; asking for and after looks goes with it.

    Raises:
        IllegalMove: the order is in no state for that.
        Forbidden: it is not for whoever asks.
        BadRequest: something the act needs is missing.
    """
    before = await _value(session, row)
    after = orders.moved(before, act, wish, by=doer.by)
    row.state, row.assignee, row.look = after.state.value, after.assignee, after.look.value
    row.verdict = after.verdict.value if after.verdict else None
    if act is Act.RATE:
        row.rating = wish.rating
    if after.state is OrderState.RESOLVED:
        await _ask_for_a_look(session, row, Purpose.OVER, now)
    if after.state is OrderState.CLOSED:
        await _after_closing(session, row, now, watch)
    if after.state is OrderState.REOPENED:
        await timers.cancel(session, row.incident, now=now, kinds=[WATCH])
    await _set_overdue(session, row, now)
    facts = {"assignee": wish.assignee, "verdict": wish.verdict, "rating": wish.rating}
    said = {key: str(value) for key, value in facts.items() if value is not None}
    return await _changed(session, row, act.value, doer, now=now, note=wish.note, facts=said)


async def note(session: AsyncSession, row: OrderRow, text: str, doer: Doer, *, now: datetime) -> OrderRow:
    """Write a note into an order's history; that is possible as long as the order is there."""
    _check_may_work(doer)
    return await _changed(session, row, "note", doer, now=now, note=text)


async def tick(
    session: AsyncSession, row: OrderRow, item: str, is_done: bool, doer: Doer, *, now: datetime
) -> OrderRow:
    """Tick an item off the checklist, or take the tick back.

    Raises:
        NotFound: the checklist has no such item.
    """
    _check_may_work(doer)
    if item not in {entry["item"] for entry in row.checklist}:
        raise NotFound("item of the checklist", item)
    ticked = {"item": item, "done_at": now.isoformat() if is_done else None, "done_by": doer.name}
    row.checklist = [
        {**ticked, "done_by": doer.name if is_done else None} if entry["item"] == item else entry
        for entry in row.checklist
    ]
    facts = {"item": item, "done": is_done}
    return await _changed(session, row, "checklist", doer, now=now, facts=facts)


async def change(
    session: AsyncSession,
    row: OrderRow,
    doer: Doer,
    *,
    now: datetime,
    assignee: str | None = None,
    respond_by: datetime | None = None,
    resolve_by: datetime | None = None,
) -> OrderRow:
    """Change who works on an order and by when.

    Raises:
        Forbidden: that is for officers and chiefs.
        IllegalMove: the order is done.
        BadRequest: the times are not in order.
    """
    if not doer.by & {By.OFFICER, By.CHIEF}:
        raise Forbidden("who works on an order and by when is said by officers and chiefs")
    if OrderState(row.state).is_done:
        raise IllegalMove("order", row.state, "change", [Act.REOPEN])
    row.assignee = assignee or row.assignee
    row.respond_by, row.resolve_by = respond_by or row.respond_by, resolve_by or row.resolve_by
    if row.resolve_by < row.respond_by:
        raise BadRequest("an order is resolved after it is answered")
    await _set_overdue(session, row, now)
    said = {"assignee": assignee, "respond_by": respond_by, "resolve_by": resolve_by}
    facts = {key: str(value) for key, value in said.items() if value is not None}
    return await _changed(session, row, "change", doer, now=now, facts=facts)


async def add_picture(
    session: AsyncSession, row: OrderRow, picture: OrderPictureRow, doer: Doer, *, now: datetime
) -> OrderRow:
    """Put a picture from the ground to an order; the same one again changes nothing."""
    _check_may_work(doer)
    if await session.get(OrderPictureRow, picture.id) is not None:
        return row
    session.add(picture)
    await session.flush()
    facts = {"picture": picture.id, "sha256": picture.sha256}
    return await _changed(session, row, "picture", doer, now=now, facts=facts)


async def lead(session: AsyncSession, incident_id: str) -> LeadRow | None:
    """Return which agency leads the work on an incident, None while nobody works on it."""
    return await session.get(LeadRow, incident_id)


async def name_lead(
    session: AsyncSession, incident_id: str, agency: str, doer: Doer, *, now: datetime
) -> LeadRow:
    """Hand the lead of an incident to an agency that works on it.

    Raises:
        NotFound: nobody works on the incident.
        Forbidden: only a chief or officer of the agency that leads now may hand it on.
        BadRequest: the agency has no order on the incident.
    """
    row = await session.get(LeadRow, incident_id, with_for_update=True)
    if row is None:
        raise NotFound("lead of incident", incident_id)
    if doer.agency != row.agency or not doer.by & {By.OFFICER, By.CHIEF}:
        raise Forbidden(f"{row.agency} leads this incident: its officers and chiefs hand the lead on")
    works = select(OrderRow.id).where(OrderRow.incident == incident_id, OrderRow.agency == agency)
    if await session.scalar(works.limit(1)) is None:
        raise BadRequest(f"{agency} has no order on this incident")
    row.agency, row.named_by, row.named_at = agency, doer.name, now
    await session.flush()
    return row


async def settle_looks(session: AsyncSession, *, now: datetime, watch: Watch) -> list[str]:
    """Let orders hear what their looks saw; return the ids of those that changed."""
    answered = await answered_looks(session)
    return [one for one in answered if await settle_look(session, one, now=now, watch=watch)]


async def answered_looks(session: AsyncSession) -> list[str]:
    """Return the orders whose look has been flown, or cannot be, and that have not heard of it."""
    asked = (
        select(OrderRow.id)
        .join(LookRequestRow, LookRequestRow.id == OrderRow.look_request)
        .where(OrderRow.look == LookState.ASKED.value)
        .where(or_(LookRequestRow.state == "done", LookRequestRow.tries >= HOPELESS_TRIES))
    )
    return list(await session.scalars(asked))


async def settle_look(session: AsyncSession, order_id: str, *, now: datetime, watch: Watch) -> bool:
    """Let an order hear what its look saw; return False when it has heard already.

    One look answers all orders of its incident that asked for it: clean verifies what is resolved,
    seen opens it again, and a look that told nothing, or cannot be flown, leaves it to a person.
    """
    row = await order(session, order_id, to_change=True)
    if row.look != LookState.ASKED.value or row.look_request is None:
        return False
    request = await session.get_one(LookRequestRow, row.look_request)
    await _hear(session, row, request, now=now, watch=watch)
    return True


async def watch_again(session: AsyncSession, incident_id: str, *, now: datetime) -> bool:
    """Ask for one more look at a fire that is out; return False when its orders were opened again."""
    rows = await session.scalars(_whole().where(OrderRow.incident == incident_id))
    closed = [row for row in rows if OrderState(row.state).is_done]
    for row in closed:
        await _ask_for_a_look(session, row, Purpose.WATCH, now)
        await _changed(session, row, "watch", SERVICE, now=now)
    return bool(closed)


async def _hear(
    session: AsyncSession, row: OrderRow, request: LookRequestRow, *, now: datetime, watch: Watch
) -> None:
    match Outcome(request.outcome) if request.outcome else None:
        case Outcome.CLEAN:
            row.look = LookState.CLEAR.value
            if row.state == OrderState.RESOLVED.value:
                await act(session, row, Act.VERIFY, Wish(), SERVICE, now=now, watch=watch)
                return
        case Outcome.SEEN:
            row.look = LookState.STILL_THERE.value
            why = (request.reason or {}).get("en-US", "the look still saw it")
            await act(session, row, Act.REOPEN, Wish(note=why), SERVICE, now=now, watch=watch)
            return
        case _:
            row.look = LookState.IMPOSSIBLE.value
    await _changed(session, row, "look", SERVICE, now=now, facts={"look": row.look, "request": request.id})


async def _ask_for_a_look(session: AsyncSession, row: OrderRow, purpose: Purpose, now: datetime) -> None:
    by = f"order {row.id}"
    request = await request_look(session, row.incident, purpose=purpose, asked_by=by, now=now)
    row.look, row.look_request = LookState.ASKED.value, request.id


async def _after_closing(session: AsyncSession, row: OrderRow, now: datetime, watch: Watch) -> None:
    """A fire that is out is watched for some hours: one series of looks for all orders of the incident."""
    if row.verdict != Verdict.FOREST_FIRE.value or watch.looks < 1:
        return
    await timers.set_timer(
        session,
        WATCH,
        row.incident,
        due_at=now + timedelta(seconds=watch.every_s),
        now=now,
        facts={"left": watch.looks},
        timer_id=f"watch:{row.incident}:{row.version}:{watch.looks}",
    )


async def _set_overdue(session: AsyncSession, row: OrderRow, now: datetime) -> None:
    """Keep the one timer that says when the order is late: nobody there, or not resolved."""
    await timers.cancel(session, row.id, now=now, kinds=[OVERDUE])
    match OrderState(row.state):
        case OrderState.NEW | OrderState.DISPATCHED | OrderState.REOPENED:
            due_at = row.respond_by
        case OrderState.ON_SITE:
            due_at = row.resolve_by
        case _:
            return
    if due_at > now:
        await timers.set_timer(session, OVERDUE, row.id, due_at=due_at, now=now)


async def _changed(
    session: AsyncSession,
    row: OrderRow,
    act: str,
    doer: Doer,
    *,
    now: datetime,
    note: str | None = None,
    facts: dict[str, Any] | None = None,
) -> OrderRow:
    """Write one step of the history, count the version, tell the event stream; return the order anew."""
    row.version, row.changed_at = row.version + 1, now
    session.add(
        OrderStepRow(
            order=row.id,
            act=act,
            state=row.state,
            by=doer.name,
            agency=doer.agency,
            at=now,
            note=note,
            facts=facts or {},
        )
    )
    await session.flush()
    leads = await session.get(LeadRow, row.incident)
    hears = sorted({row.agency, *([leads.agency] if leads else [])})
    said = {"id": row.id, "incident": row.incident, "agency": row.agency, "state": row.state, "act": act}
    kind = {"hazard": row.hazard, "severity": row.severity, "version": row.version}
    await events.append(session, "order", {**said, **kind}, now=now, agencies=hears)
    await reports.follow(session, row, now=now)
    return await order(session, row.id)


async def _value(session: AsyncSession, row: OrderRow) -> Order:
    return Order(
        state=OrderState(row.state),
        assignee=row.assignee,
        verdict=Verdict(row.verdict) if row.verdict else None,
        look=LookState(row.look),
        pictures=len(row.pictures),
    )


def _items(hazard: str) -> Iterable[str]:
    return orders.checklist(Hazard(hazard))


def _check_may_work(doer: Doer) -> None:
    if not doer.by & {By.OFFICER, By.CREW, By.CHIEF}:
        raise Forbidden("this is for the people who work on the order")


def _whole() -> Select[OrderRow]:
    loaded = select(OrderRow).options(selectinload(OrderRow.steps), selectinload(OrderRow.pictures))
    return loaded.execution_options(populate_existing=True)


def _visible(query: Select[OrderRow], caller: Caller) -> Select[OrderRow]:
    return query.where(seen_orders(caller))
