"""Places that wait for a further look, as rows: a coordinator that restarts waits for the same ones.

`weigh` says what of a frame is told now and what earlier frames held back, `overdue` what waited for a
camera that has been silent; `note` writes down which incident it became. How it is decided stands in
`api.confirming`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, and_, delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api import confirming
from api.analysis import Analysis, observation_from_json, observation_to_json
from api.confirming import MOST_BEHIND, PATIENCE, WAIT, Denied, Seen, Waiting
from api.store.models import FrameRow
from api.store.tables.confirming import CandidateRow
from vision import looks
from vision.confirmation import FORGOTTEN_S, Candidate, Look
from vision.confirmation import Seen as SeenAt
from vision.model import Observation

DENIED = "denied"
"""What becomes of an observation that further looks did not show again."""

_CANDIDATE = TypeAdapter(Candidate)


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is told now and what never will be; `places` says by observation which place it was seen at."""

    told: tuple[Seen, ...]
    denied: tuple[Denied, ...] = ()
    places: Mapping[str, str] | None = None


async def weigh(session: AsyncSession, frame: FrameRow, analysis: Analysis, *, now: datetime) -> Weighed:
    """Return what is told now that this frame was looked at, of it and of what waited for it.

    A frame that shows no known ground cannot be compared with any other: what it shows is told.
    """
    seen = [Seen(frame.id, one) for one in analysis.observations]
    released, places = await _agreed(session, frame, analysis.agreed, now=now)
    if not analysis.footprint or not analysis.searched & WAIT:
        return Weighed((*released, *seen), places=places)
    at_once = [one for one in seen if one.observation.hazard not in WAIT]
    rows = await _open(session, frame)
    step = confirming.step(map(_waiting, rows.values()), look_of(analysis, frame.taken_at), frame.id)
    for waiting in step.waiting:
        await _keep(session, rows.get(waiting.candidate.id), waiting, frame, now=now)
        places |= dict.fromkeys(waiting.candidate.observations, waiting.candidate.id)
    return Weighed((*released, *at_once, *step.told), step.denied, places)


async def overdue(session: AsyncSession, *, now: datetime) -> Weighed:
    """Return what waited for cameras that have said nothing for a while, and told from now on."""
    query = select(CandidateRow).where(_is_overdue(now))
    told: list[Seen] = []
    denied: list[Denied] = []
    places: dict[str, str] = {}
    for row in (await session.scalars(query.order_by(CandidateRow.seen_at))).all():
        waiting, out, off = confirming.silent(_waiting(row))
        _write(row, waiting)
        told += out
        denied += off
        places |= {one.observation.id: row.id for one in out}
    return Weighed(tuple(told), tuple(denied), places)


async def anything_overdue(session: AsyncSession, *, now: datetime) -> bool:
    """Return whether something waits for a camera that has said nothing for a while; writes nothing."""
    query = select(CandidateRow.id).where(_is_overdue(now))
    return await session.scalar(query.limit(1)) is not None


def _is_overdue(now: datetime) -> ColumnElement[bool]:
    """Return the condition of a place whose camera is silent, no later picture being left to be searched."""
    to_search = exists().where(
        FrameRow.drone == CandidateRow.drone,
        FrameRow.sensor == CandidateRow.sensor,
        FrameRow.taken_at > CandidateRow.seen_at,
        FrameRow.analysed_at.is_(None),
    )
    is_stuck = CandidateRow.heard_at <= now - MOST_BEHIND
    return and_(CandidateRow.waits, CandidateRow.heard_at <= now - PATIENCE, or_(is_stuck, ~to_search))


async def note(session: AsyncSession, weighed: Weighed, incidents: Mapping[str, str | None]) -> None:
    """Write down which incident what was told became, by its observations."""
    for seen in weighed.told:
        place = (weighed.places or {}).get(seen.observation.id)
        incident = incidents.get(seen.observation.id)
        row = await session.get(CandidateRow, place) if place and incident else None
        if row is not None:
            row.incident = incident


async def of_incidents(session: AsyncSession, incidents: Iterable[str]) -> Sequence[CandidateRow]:
    """Return the places that became incidents, those with the most looks first."""
    query = select(CandidateRow).where(CandidateRow.incident.in_(list(incidents)))
    return (await session.scalars(query.order_by(CandidateRow.looks.desc(), CandidateRow.id))).all()


async def forget(session: AsyncSession, *, before: datetime) -> None:
    """Delete what was seen before a time; incidents and pictures stay."""
    await session.execute(delete(CandidateRow).where(CandidateRow.seen_at < before))


async def _open(session: AsyncSession, frame: FrameRow) -> dict[str, CandidateRow]:
    """Return the places that the frame's camera saw something at lately, and those that still wait."""
    since = frame.taken_at - timedelta(seconds=FORGOTTEN_S)
    query = select(CandidateRow).where(
        CandidateRow.drone == frame.drone,
        CandidateRow.sensor == frame.sensor,
        (CandidateRow.seen_at >= since) | CandidateRow.waits,
    )
    return {row.id: row for row in await session.scalars(query)}


async def _agreed(
    session: AsyncSession, frame: FrameRow, surer: Sequence[Observation], *, now: datetime
) -> tuple[list[Seen], dict[str, str]]:
    """Return what waited for a look of the other eye and is told, since this frame's eye agrees with it."""
    by_id = {one.id: one for one in surer}
    if not by_id:
        return [], {}
    query = select(CandidateRow).where(
        CandidateRow.drone == frame.drone, CandidateRow.sensor != frame.sensor, CandidateRow.waits
    )
    told: list[Seen] = []
    places: dict[str, str] = {}
    for row in (await session.scalars(query)).all():
        waiting = _waiting(row)
        if any(
            confirming.is_urgent(by_id[s.observation.id]) for s in waiting.held if s.observation.id in by_id
        ):
            waiting, out, _ = confirming.silent(waiting)
            told += [_beside(one, by_id) for one in out]
            places |= {one.observation.id: row.id for one in out}
            _write(row, waiting)
    return told, places


def _beside(seen: Seen, surer: Mapping[str, Observation]) -> Seen:
    """Return what was seen with what the other eye adds; its score stays the detection's own."""
    one = surer.get(seen.observation.id)
    if one is None:
        return seen
    return replace(seen, observation=replace(seen.observation, kind=one.kind, sources=one.sources))


def look_of(analysis: Analysis, taken_at: datetime) -> Look:
    """Return a frame as a look at what may wait."""
    pixels = [analysis.detections[i].box.middle_px for i in analysis.placed]
    at = dict(zip((one.id for one in analysis.observations), pixels, strict=False))
    seen = [SeenAt(one, at.get(one.id)) for one in analysis.observations if one.hazard in WAIT]
    shows = looks.showing(analysis.footprint or ())
    return Look(taken_at, tuple(seen), analysis.searched & WAIT, shows, analysis.camera_at)


async def _keep(
    session: AsyncSession, row: CandidateRow | None, waiting: Waiting, frame: FrameRow, *, now: datetime
) -> None:
    """Write a place as it now is."""
    if row is None:
        row = CandidateRow(id=waiting.candidate.id, drone=frame.drone, sensor=frame.sensor, incident=None)
        row.heard_at = now
        session.add(row)
    elif waiting.held:
        row.heard_at = now
    _write(row, waiting)


def _write(row: CandidateRow, waiting: Waiting) -> None:
    its = waiting.candidate
    row.hazard, row.verdict, row.looks, row.hits = its.hazard.value, its.verdict.value, its.looks, its.hits
    row.seen_at, row.candidate = its.seen_at, _CANDIDATE.dump_python(its, mode="json")
    row.waits, row.further, row.is_told = bool(waiting.held), waiting.further, waiting.is_told
    row.held = [_held(one) for one in waiting.held]


def _waiting(row: CandidateRow) -> Waiting:
    held = tuple(Seen(one["frame"], observation_from_json(one["observation"])) for one in row.held)
    return Waiting(_CANDIDATE.validate_python(row.candidate, strict=False), held, row.further, row.is_told)


def _held(seen: Seen) -> dict[str, Any]:
    return {"frame": seen.frame, "observation": observation_to_json(seen.observation)}
