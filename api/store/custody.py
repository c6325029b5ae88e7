"""Custody logs as rows: a line added after the last one, and a log as one caller may read it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api import custody
from api.custody import Line
from api.store.models import FrameRow
from api.store.tables.delivery import CustodyRow
from api.store.tenancy import lets
from api.store.tokens import Caller

SERVICE = "gridpatrol"
LONGEST = 200


async def add(
    session: AsyncSession, frame_id: str, act: str, caller: Caller | None, *, now: datetime
) -> None:
    """Add a line to a picture's log, in the writing transaction of the act itself.

    caller: who did it, None for the service. The frame's row is held so that of two lines at once
    one follows the other.
    """
    frame = await session.get_one(FrameRow, frame_id, with_for_update=True)
    last = (
        select(CustodyRow.chain).where(CustodyRow.frame == frame_id).order_by(CustodyRow.seq.desc()).limit(1)
    )
    before = await session.scalar(last) or frame.sha256
    line = Line(now, act[:LONGEST], caller.name if caller else SERVICE, custody.new_nonce())
    session.add(
        CustodyRow(
            frame=frame_id,
            at=line.at,
            act=line.act,
            actor=line.by,
            agency=caller.agency if caller else None,
            nonce=line.nonce,
            chain=custody.link(before, line.digest),
        )
    )
    await session.flush()


async def logs(
    session: AsyncSession, frames: Sequence[str], caller: Caller
) -> dict[str, list[dict[str, str]]]:
    """Return the logs of some pictures by frame, oldest line first, each line as the caller may read it."""
    rows = select(CustodyRow).where(CustodyRow.frame.in_(frames)).order_by(CustodyRow.seq)
    found: dict[str, list[dict[str, str]]] = {}
    for row in await session.scalars(rows):
        line = Line(row.at, row.act, row.actor, row.nonce)
        may_know = row.agency is None or lets(caller, None, row.agency)
        shown = custody.told(line, row.chain) if may_know else custody.withheld(line, row.chain)
        found.setdefault(row.frame, []).append(shown)
    return found
