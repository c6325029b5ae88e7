"""Pictures that were accepted: object put, row committed, then published.

A frame whose row is committed is promised. If the process dies before it is
published, `unpublished` finds it and it is published again under the same id.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.discretion import is_rough
from api.errors import Conflict, NotFound
from api.schemas import FrameIn
from api.store.models import DetectionRow, FrameRow, ObservationRow
from api.store.rows import insert_once
from api.store.tenancy import seen_frames, seen_incidents
from api.store.tokens import Caller
from missions.model import Shared


async def known_frame(session: AsyncSession, meta: FrameIn) -> bool:
    """Return whether this frame is kept already.

    Raises:
        Conflict: its id is taken by another picture.
    """
    sha256 = await session.scalar(select(FrameRow.sha256).where(FrameRow.id == str(meta.id)))
    if sha256 is not None and sha256 != meta.sha256:
        raise Conflict(f"frame {meta.id} is kept already with other bytes (sha256 {sha256})")
    return sha256 is not None


async def accept_frame(session: AsyncSession, meta: FrameIn, *, key: str, now: datetime) -> bool:
    """Keep the row of a frame whose picture is in the store; return False for a repeat."""
    return await insert_once(
        session,
        FrameRow,
        id=str(meta.id),
        gateway=meta.gateway,
        drone=meta.drone,
        sortie=meta.sortie,
        shot=meta.shot,
        sensor=meta.sensor,
        taken_at=meta.taken_at,
        sha256=meta.sha256,
        name=meta.name,
        bytes=meta.bytes,
        pose=meta.pose.model_dump() if meta.pose else None,
        key=key,
        received_at=now,
    )


async def mark_published(session: AsyncSession, frame_id: str, *, now: datetime) -> None:
    """Note that the bus has the frame on disk."""
    await session.execute(update(FrameRow).where(FrameRow.id == frame_id).values(published_at=now))


async def unpublished(session: AsyncSession, *, limit: int = 500) -> Sequence[str]:
    """Return the ids of frames that the bus may never have heard of, oldest first."""
    waiting = FrameRow.published_at.is_(None), FrameRow.analysed_at.is_(None)
    query = select(FrameRow.id).where(*waiting).order_by(FrameRow.received_at).limit(limit)
    return (await session.scalars(query)).all()


async def frame(session: AsyncSession, frame_id: str, caller: Caller | None = None) -> FrameRow:
    """Return a frame; with a caller, only one that is the caller's to see.

    Raises:
        NotFound: there is none, or it is not the caller's.
    """
    query = select(FrameRow).where(FrameRow.id == frame_id)
    row = await session.scalar(_visible(query, caller) if caller else query)
    if row is None:
        raise NotFound("frame", frame_id)
    return row


async def other_eye(session: AsyncSession, row: FrameRow) -> FrameRow | None:
    """Return the frame that the other camera took at the same shot, None while it is not here."""
    query = select(FrameRow).where(
        FrameRow.sortie == row.sortie,
        FrameRow.shot == row.shot,
        FrameRow.drone == row.drone,
        FrameRow.sensor != row.sensor,
    )
    return (await session.scalars(query.order_by(FrameRow.received_at, FrameRow.id).limit(1))).first()


async def frames(
    session: AsyncSession, caller: Caller, *, sortie: str | None, limit: int
) -> Sequence[tuple[FrameRow, Sequence[DetectionRow]]]:
    """Return the latest frames the caller may see, each with its detections."""
    query = _visible(select(FrameRow), caller).order_by(FrameRow.taken_at.desc(), FrameRow.id).limit(limit)
    if sortie is not None:
        query = query.where(FrameRow.sortie == sortie)
    rows = (await session.scalars(query)).all()
    found = await detections_of(session, [row.id for row in rows], caller)
    return [(row, found.get(row.id, [])) for row in rows]


async def detections(
    session: AsyncSession, frame_id: str, caller: Caller | None = None
) -> Sequence[DetectionRow]:
    """Return what was found in a frame, in the analyst's order; to a caller, what is the caller's to see."""
    return (await detections_of(session, [frame_id], caller)).get(frame_id, [])


async def detections_of(
    session: AsyncSession, frames: Sequence[str], caller: Caller | None = None
) -> dict[str, list[DetectionRow]]:
    """Return what was found in some frames, by frame, in the analyst's order.

    caller: a picture may show what is another agency's beside what is the caller's; that is left out, and so
        is what the caller is told of only roughly.
    """
    mine = await _finds_seen(session, frames, caller) if caller is not None else None
    query = select(DetectionRow).where(DetectionRow.frame.in_(frames))
    found: dict[str, list[DetectionRow]] = {}
    for row in await session.scalars(query.order_by(DetectionRow.frame, DetectionRow.position)):
        if caller is not None and is_rough(row.hazard, caller.knows):
            continue
        if mine is None or (row.frame, row.hazard, row.detector, row.confidence) in mine:
            found.setdefault(row.frame, []).append(row)
    return found


async def _finds_seen(
    session: AsyncSession, frames: Sequence[str], caller: Caller
) -> set[tuple[str, str, str, float]] | None:
    """Return frame, hazard, detector and confidence of what a caller may see, None for everything.

    An observation carries its detection's hazard, detector and confidence unchanged.
    """
    incidents = seen_incidents(caller, Shared.PICTURES)
    if incidents is None:
        return None
    seen = ObservationRow
    query = select(seen.frame, seen.hazard, seen.detector, seen.confidence)
    rows = await session.execute(query.where(seen.frame.in_(frames), seen.incident.in_(incidents)))
    return {(frame, hazard, detector, sure) for frame, hazard, detector, sure in rows}


def _visible(query: Select[FrameRow], caller: Caller) -> Select[FrameRow]:
    """An agency sees the pictures of the incidents it may see, and no others."""
    seen = seen_frames(caller)
    return query if seen is None else query.where(FrameRow.id.in_(seen))
