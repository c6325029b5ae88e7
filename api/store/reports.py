"""Reports as rows: taken in, made a work order of, followed, rated, and what their reporters earned."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from api import reports
from api.errors import Forbidden, NotFound
from api.orders import By, OrderState, Verdict
from api.reports import ReportAct, ReportState
from api.store import events
from api.store.rows import insert_once
from api.store.tables.orders import OrderRow, PointsRow, ReportRow, ReportStepRow
from api.store.tenancy import owned
from api.store.tokens import Caller

_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that look alike


def new_code() -> str:
    """Return a tracking code: some 60 random bits, easy to read out on the telephone."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(12))
    return "-".join(letters[i : i + 4] for i in range(0, 12, 4))


def code_hash(code: str) -> str:
    """Return what is kept of a code; how it is typed does not matter."""
    return hashlib.sha256(code.upper().replace("-", "").replace(" ", "").encode()).hexdigest()


async def take(session: AsyncSession, row: ReportRow, *, now: datetime) -> ReportRow:
    """Keep a new report and say so to its agency."""
    row.id, row.state, row.version = row.id or uuid4().hex, ReportState.RECEIVED.value, 0
    row.received_at = row.changed_at = now
    session.add(row)
    await session.flush()
    return await _changed(session, row, by="reporter", now=now)


async def by_code(session: AsyncSession, code: str) -> ReportRow:
    """Return the report of a tracking code.

    Raises:
        NotFound: no report has it.
    """
    row = await session.scalar(_whole().where(ReportRow.code_sha256 == code_hash(code)))
    if row is None:
        raise NotFound("report", "of this code")
    return row


async def report(session: AsyncSession, report_id: str, caller: Caller | None = None) -> ReportRow:
    """Return one report; with a caller, one that is the caller's to see.

    Raises:
        NotFound: there is none, or it is not the caller's.
    """
    query = _whole().where(ReportRow.id == report_id)
    row = await session.scalar(_visible(query, caller) if caller else query)
    if row is None:
        raise NotFound("report", report_id)
    return row


async def reports_of(
    session: AsyncSession, caller: Caller | None, *, state: str | None = None, limit: int = 200
) -> Sequence[ReportRow]:
    """Return the latest reports, with a caller those it may see."""
    query = _whole().order_by(ReportRow.received_at.desc(), ReportRow.id).limit(limit)
    if caller is not None:
        query = _visible(query, caller)
    if state is not None:
        query = query.where(ReportRow.state == state)
    return (await session.scalars(query)).all()


async def act(
    session: AsyncSession,
    row: ReportRow,
    act: ReportAct,
    *,
    by: frozenset[By],
    name: str,
    now: datetime,
    note: str | None = None,
    rating: int | None = None,
    order: OrderRow | None = None,
) -> ReportRow:
    """Move a report that was read in this transaction.

    Raises:
        IllegalMove: it is in no state for that.
        Forbidden: it is not for whoever asks.
    """
    after = reports.moved(ReportState(row.state), act)
    wanted = {By.REPORTER} if act is ReportAct.RATE else {By.OFFICER, By.CHIEF}
    if not by & wanted:
        raise Forbidden(f"to {act} a report is for {' or '.join(sorted(wanted))}")
    row.state = after.value
    if act is ReportAct.RATE:
        row.rating = rating
    if order is not None:
        row.order = order.id
    return await _changed(session, row, by=name, now=now, note=note)


async def follow(session: AsyncSession, order: OrderRow, *, now: datetime) -> None:
    """Let the reports that an order was made of hear how far it has come, and pay what proved true."""
    for row in (await session.scalars(_whole().where(ReportRow.order == order.id))).all():
        news = reports.following(ReportState(row.state), OrderState(order.state))
        if news is None:
            continue
        row.state = news.value
        await _changed(session, row, by="service", now=now)
        earned = reports.points(Verdict(order.verdict) if order.verdict else None)
        if news is ReportState.DONE and row.reporter and earned:
            paid = {"reporter": row.reporter, "report": row.id, "points": earned, "reason": "verified"}
            await insert_once(session, PointsRow, **paid, at=now)


async def ledger(session: AsyncSession, reporter: str) -> Sequence[PointsRow]:
    """Return everything a reporter earned, oldest first."""
    query = select(PointsRow).where(PointsRow.reporter == reporter).order_by(PointsRow.seq)
    return (await session.scalars(query)).all()


async def counts(session: AsyncSession) -> dict[str, int]:
    """Return how many reports there are by state."""
    query = select(ReportRow.state, func.count()).group_by(ReportRow.state)
    return {state: int(many) for state, many in await session.execute(query)}


async def _changed(
    session: AsyncSession, row: ReportRow, *, by: str, now: datetime, note: str | None = None
) -> ReportRow:
    row.version, row.changed_at = row.version + 1, now
    session.add(ReportStepRow(report=row.id, state=row.state, at=now, by=by, note=note))
    await session.flush()
    said = {"id": row.id, "state": row.state, "agency": row.agency, "service": row.service}
    await events.append(session, "report", said, now=now, agencies=[row.agency] if row.agency else [])
    return await report(session, row.id)


def _whole() -> Select[ReportRow]:
    loaded = select(ReportRow).options(selectinload(ReportRow.steps))
    return loaded.execution_options(populate_existing=True)


def _visible(query: Select[ReportRow], caller: Caller) -> Select[ReportRow]:
    return query.where(owned(caller, ReportRow.agency))
