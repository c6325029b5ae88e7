"""The dead-man check: whoever ought to be heard of and is not, is an alarm of its own.

Workers beat by themselves; of drones, docks, feeds and analysts it is told from the rows
they leave behind. Going silent and being heard again are events for the operator.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.escalation import SilencePatience
from api.store import events
from api.store.models import DockRow, DroneRow, FrameRow
from api.store.rows import insert_once
from api.store.tables.orders import BeatRow
from api.store.tables.witnesses import SightingRow
from vision.witnesses.sighting import Witness

FEEDS = (Witness.SATELLITE.value, Witness.GAUGE.value)


@dataclass(frozen=True, slots=True)
class Heard:
    """That somebody was heard of at a time, and how long the next time may take."""

    kind: str
    name: str
    at: datetime
    patience_s: float


async def beat(session: AsyncSession, heard: Heard) -> None:
    """Write down that somebody was heard of; an older word than the last changes nothing."""
    values = {"seen_at": heard.at, "patience_s": heard.patience_s}
    if await insert_once(session, BeatRow, kind=heard.kind, name=heard.name, **values):
        return
    row = await session.get_one(BeatRow, (heard.kind, heard.name), populate_existing=True)
    row.seen_at, row.patience_s = max(row.seen_at, heard.at), heard.patience_s


def is_news(row: BeatRow | None, heard: Heard, *, now: datetime) -> bool:
    """Return whether a word is worth writing down.

    It is when it is of somebody new, later than the last by a tenth of the patience, or when the
    silence begins or ends with it.
    """
    if row is None:
        return True
    at = max(row.seen_at, heard.at)
    moved_s = (at - row.seen_at).total_seconds()
    return moved_s >= heard.patience_s / 10 or _is_silent(at, heard, now) != (row.silent_since is not None)


async def news(session: AsyncSession, own: Heard, patience: SilencePatience, *, now: datetime) -> list[Heard]:
    """Return what is worth writing down of everybody who is watched and of one's own beat."""
    known = {(row.kind, row.name): row for row in await session.scalars(select(BeatRow))}
    said = {key: Heard(*key, row.seen_at, row.patience_s) for key, row in known.items()}
    said |= {(heard.kind, heard.name): heard async for heard in _heard(session, patience, now)}
    said[own.kind, own.name] = own
    return [heard for key, heard in said.items() if is_news(known.get(key), heard, now=now)]


async def note(session: AsyncSession, words: Sequence[Heard], *, now: datetime) -> list[BeatRow]:
    """Write words down; return who went silent or was heard again by them, which the operator is told."""
    changed = []
    for heard in words:
        await beat(session, heard)
        row = await session.get_one(BeatRow, (heard.kind, heard.name), with_for_update=True)
        is_silent = _is_silent(row.seen_at, heard, now)
        if is_silent == (row.silent_since is not None):
            continue
        row.silent_since = row.seen_at if is_silent else None
        changed.append(row)
        said = {"kind": row.kind, "name": row.name, "state": "silent" if is_silent else "heard"}
        await events.append(session, "alarm", {**said, "seen_at": row.seen_at.isoformat()}, now=now)
    return changed


def _is_silent(seen_at: datetime, heard: Heard, now: datetime) -> bool:
    return now - seen_at > timedelta(seconds=heard.patience_s)


async def alarms(session: AsyncSession) -> Sequence[BeatRow]:
    """Return everybody who is watched, the silent ones first."""
    query = select(BeatRow).order_by(BeatRow.silent_since.is_(None), BeatRow.kind, BeatRow.name)
    return (await session.scalars(query)).all()


async def _heard(session: AsyncSession, patience: SilencePatience, now: datetime) -> AsyncIterator[Heard]:
    for drone in await session.scalars(select(DroneRow).where(DroneRow.updated_at.is_not(None))):
        if drone.updated_at is not None:
            yield Heard("drone", drone.id, drone.updated_at, patience.drone_s)
    for dock in await session.scalars(select(DockRow).where(DockRow.updated_at.is_not(None))):
        if dock.updated_at is not None:
            yield Heard("dock", dock.id, dock.updated_at, patience.dock_s)
    # Pictures that wait are the analysts' silence: nobody is heard of while the oldest waits.
    waiting = select(func.min(FrameRow.received_at)).where(FrameRow.analysed_at.is_(None))
    oldest = await session.scalar(waiting)
    if oldest is not None or await session.get(BeatRow, ("worker", "analyst")) is not None:
        yield Heard("worker", "analyst", oldest or now, patience.analysis_s)
    latest = select(SightingRow.source, func.max(SightingRow.received_at)).where(
        SightingRow.witness.in_(FEEDS)
    )
    for source, at in await session.execute(latest.group_by(SightingRow.source)):
        yield Heard("feed", source, at, patience.feed_s)
