"""Legal holds, and what may be erased when it has grown old."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from api import audit
from api.errors import Forbidden, IllegalMove
from api.store.models import FrameRow, ObservationRow
from api.store.tables.delivery import CustodyRow, HoldRow
from api.store.tokens import Caller

ERASED = "erased"


async def place(
    session: AsyncSession, incident: str, caller: Caller, *, reason: str, now: datetime
) -> HoldRow:
    """Return the hold on an incident, now in force.

    Raises:
        IllegalMove: there is one already.
    """
    row = await session.get(HoldRow, incident, with_for_update=True)
    if row is not None and row.lifted_at is None:
        raise IllegalMove("incident", "held", "hold", ["lift"])
    if row is None:
        row = HoldRow(incident=incident)
        session.add(row)
    row.reason, row.agency, row.placed_by, row.placed_at = reason, caller.agency, caller.name, now
    row.lifted_by = row.lifted_at = None
    await session.flush()
    details = {"reason": reason}
    await audit.record(session, audit.actor_of(caller), "hold.place", incident, now=now, details=details)
    return row


async def lift(session: AsyncSession, incident: str, caller: Caller, *, now: datetime) -> HoldRow:
    """Return the hold on an incident, now lifted.

    Raises:
        IllegalMove: there is none in force.
        Forbidden: another agency or the operator placed it.
    """
    row = await session.get(HoldRow, incident, with_for_update=True)
    if row is None or row.lifted_at is not None:
        raise IllegalMove("incident", "not held", "lift", ["hold"])
    if not caller.is_operator and row.agency != caller.agency:
        raise Forbidden("a hold is lifted by the agency that placed it, or by the operator")
    row.lifted_by, row.lifted_at = caller.name, now
    await session.flush()
    await audit.record(session, audit.actor_of(caller), "hold.lift", incident, now=now)
    return row


async def erasable(
    session: AsyncSession, *, idle_before: datetime, evidence_before: datetime, limit: int
) -> Sequence[FrameRow]:
    """Return frames whose pictures may go: of no incident and older than one time, else than another.

    A picture of an incident under a hold never is, and one that is gone already neither.
    """
    of_incident = exists().where(ObservationRow.frame == FrameRow.id, ObservationRow.incident.is_not(None))
    is_held = exists().where(
        ObservationRow.frame == FrameRow.id,
        ObservationRow.incident == HoldRow.incident,
        HoldRow.lifted_at.is_(None),
    )
    is_gone = exists().where(CustodyRow.frame == FrameRow.id, CustodyRow.act == ERASED)
    is_old = (~of_incident & (FrameRow.taken_at < idle_before)) | (
        of_incident & (FrameRow.taken_at < evidence_before)
    )
    query = select(FrameRow).where(is_old, ~is_held, ~is_gone).order_by(FrameRow.taken_at).limit(limit)
    return (await session.scalars(query)).all()
