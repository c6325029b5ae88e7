"""From what was seen to who is told: many observations in one transaction.

`absorb_all` opens and grows incidents, raises and updates alerts, puts messages
into the outbox and events into the stream, in the caller's transaction: after a
crash all of it is there or none, and the same observation a second time changes
nothing. The statements it makes do not grow with the observations in it, which is
what lets one commit to disk carry a hundred.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.analysis import Analysis, area_to_json, detection_to_json, ring_to_json
from api.confirming import Seen
from api.errors import NotFound
from api.routing import grounds_of
from api.store import confirming, coverage, events, incidents, standings
from api.store.live import LiveIncidents, to_incident
from api.store.models import DetectionRow, FrameRow, ObservationRow
from api.store.rows import columns_of, insert_many
from api.store.tables.orders import FrameGroundRow
from missions.geo import LatLon, distance_m
from missions.model import Site
from vision.incidents import Decision, DecisionKind
from vision.model import Incident, Observation
from vision.witnesses import joining

_KEEPS = ObservationRow.__table__.c
_KEPT = select(_KEEPS.id, _KEEPS.incident, _KEEPS.decision, _KEEPS.reason).where(
    _KEEPS.id.in_(bindparam("ids", expanding=True))
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What observations changed: ids of incidents and alerts that are new or different now."""

    repeated: bool = False
    incidents: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    outcomes: Mapping[str, "Outcome"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one observation: kept now or before, and the incident it belongs to, if it does."""

    incident: str | None
    decision: str
    reason: str
    was_known: bool = False


async def record_observations(
    session: AsyncSession,
    analysis: Analysis,
    *,
    site: Site,
    now: datetime,
    public_url: str | None = None,
    live: LiveIncidents | None = None,
) -> Recorded:
    """Keep everything an analyst found in one frame and act on it; repeating is harmless.

    Raises:
        NotFound: the frame was never accepted.
    """
    frame = await session.get(FrameRow, analysis.frame, with_for_update=True, populate_existing=True)
    if frame is None:
        raise NotFound("frame", analysis.frame)
    if frame.analysed_at is not None:
        return Recorded(repeated=True)
    await _keep_analysis(session, frame, analysis, site, now)
    weighed = await confirming.weigh(session, frame, analysis, now=now)
    return await _told(
        session, weighed, site=site, now=now, public_url=public_url, live=live, surer=analysis.agreed
    )


async def tell_silent(
    session: AsyncSession,
    *,
    site: Site,
    now: datetime,
    public_url: str | None = None,
    live: LiveIncidents | None = None,
) -> Recorded:
    """Act on what waited for a further look of cameras that have been silent since."""
    weighed = await confirming.overdue(session, now=now)
    return await _told(session, weighed, site=site, now=now, public_url=public_url, live=live)


async def _told(
    session: AsyncSession,
    weighed: confirming.Weighed,
    *,
    site: Site,
    now: datetime,
    public_url: str | None,
    live: LiveIncidents | None,
    surer: Sequence[Observation] = (),
) -> Recorded:
    """Act on what was weighed: what is told becomes incidents, what is denied is kept with the reason."""
    for denied in weighed.denied:
        session.add(ObservationRow(**_columns(denied.seen, None, confirming.DENIED, denied.reason)))
    recorded = await absorb_all(
        session, weighed.told, site=site, now=now, public_url=public_url, live=live, surer=surer
    )
    await confirming.note(session, weighed, {name: one.incident for name, one in recorded.outcomes.items()})
    return recorded


async def absorb_all(
    session: AsyncSession,
    seen: Sequence[Seen],
    *,
    site: Site,
    now: datetime,
    public_url: str | None = None,
    live: LiveIncidents | None = None,
    surer: Sequence[Observation] = (),
) -> Recorded:
    """Keep observations of frames that are known, and act on them; those kept before are left out.

    live: what this process knows of the live incidents already; without it they are read.
    surer: observations kept before of which the other eye has made us surer, and so of their incidents.
    """
    known, fresh = await _known_and_fresh(session, seen)
    if not fresh and not surer:
        return Recorded(outcomes=known)
    live = live or LiveIncidents()
    await live.begin(session)
    changed: dict[str, incidents.Changed] = {}
    kept: list[Mapping[str, Any]] = []
    for one in fresh:
        decision = live.open.absorb(one.observation, now=now)
        if decision.kind is DecisionKind.OPENED and live.is_anything_told:
            decision = await _claimed(session, live, one.observation, decision, site=site, now=now)
        for incident in _settled(decision):
            before = live.by_id.get(incident.id)
            live.put(incident)
            changed[incident.id] = _change(changed.get(incident.id), incident, before, one.frame)
        kept.append(_row(one, decision))
    for incident in await _raised(session, live, surer, kept):
        live.put(incident)
        earlier = changed.get(incident.id)
        changed[incident.id] = incidents.Changed(incident, best_frame=earlier.best_frame if earlier else None)
    rows = await incidents.save_all(session, live, list(changed.values()), site=site)
    if kept:
        await insert_many(session, ObservationRow, columns_of(kept))
    told = await incidents.announce_all(session, rows, site=site, now=now, public_url=public_url, live=live)
    await live.finish(session)
    outcomes = {row["id"]: Outcome(row["incident"], row["decision"], row["reason"]) for row in kept}
    return Recorded(incidents=tuple(changed), alerts=told, outcomes={**known, **outcomes})


async def _raised(
    session: AsyncSession,
    live: LiveIncidents,
    surer: Sequence[Observation],
    kept: Sequence[Mapping[str, Any]],
) -> list[Incident]:
    """Return the live incidents of which the other eye has made us surer; the looks stay as they were."""
    if not surer:
        return []
    sure = {one.id: one.confidence for one in surer}
    belongs = {row["id"]: row["incident"] for row in kept}
    belongs |= {name: to for name, to, _, _ in await session.execute(_KEPT, {"ids": list(sure)})}
    raised: dict[str, Incident] = {}
    for name, confidence in sure.items():
        incident = live.by_id.get(belongs.get(name) or "")
        if incident is not None and confidence > incident.confidence:
            raised[incident.id] = replace(incident, confidence=confidence)
    return list(raised.values())


async def _claimed(
    session: AsyncSession,
    live: LiveIncidents,
    seen: Observation,
    opened: Decision,
    *,
    site: Site,
    now: datetime,
) -> Decision:
    """Return the incident that was told of and that an observation confirms, or else what it opened."""
    told = await standings.told_near(session, seen.place)
    before = {row.id: LatLon(row.lat_deg, row.lon_deg) for row, _ in told}
    if opened.incident is None:
        return opened
    found = joining.claimed([to_incident(row, whole=False) for row, _ in told], seen, opened.incident)
    if found is None:
        return opened
    live.open.drop(opened.incident.id)
    apart_m = distance_m(before[found.id], seen.place)
    standing = next(standing for row, standing in told if row.id == found.id)
    standings.confirm(standing, seen, apart_m, site=site, now=now)
    return Decision(DecisionKind.JOINED, found, f"confirms what was told of {apart_m:.0f} m away")


async def _known_and_fresh(
    session: AsyncSession, seen: Sequence[Seen]
) -> tuple[dict[str, Outcome], list[Seen]]:
    """Return what became of the observations that are kept already, and the others, each once."""
    by_id = {one.observation.id: one for one in seen}
    if not by_id:
        return {}, []
    kept = await session.execute(_KEPT, {"ids": list(by_id)})
    known = {name: Outcome(incident, kind, why, was_known=True) for name, incident, kind, why in kept}
    return known, [one for name, one in by_id.items() if name not in known]


def _settled(decision: Decision) -> Iterable[Incident]:
    """Yield the incidents that a decision changed, without the list of looks, which the database has."""
    if decision.incident is not None and decision.kind is not DecisionKind.IGNORED:
        yield replace(decision.incident, observations=())
    yield from decision.ended


def _change(
    earlier: incidents.Changed | None, incident: Incident, known: Incident | None, frame: str
) -> incidents.Changed:
    is_best = known is None or incident.best_confidence > known.best_confidence
    best = frame if is_best else earlier.best_frame if earlier else None
    return incidents.Changed(incident, best_frame=best)


def _row(one: Seen, decision: Decision) -> Mapping[str, Any]:
    is_kept = decision.incident is not None and decision.kind is not DecisionKind.IGNORED
    incident = decision.incident.id if is_kept and decision.incident else None
    return _columns(one, incident, decision.kind.value, decision.reason)


def _columns(one: Seen, incident: str | None, decision: str, reason: str) -> dict[str, Any]:
    seen = one.observation
    return {
        "id": seen.id,
        "frame": one.frame,
        "incident": incident,
        "decision": decision,
        "reason": reason,
        "hazard": seen.hazard.value,
        "confidence": seen.confidence,
        "lat_deg": seen.place.lat_deg,
        "lon_deg": seen.place.lon_deg,
        **incidents.ellipse_values(seen.ellipse),
        "seen_at": seen.seen_at,
        "detector": seen.detector,
        "area_m2": seen.area_m2,
        "temp_max_c": seen.temp_max_c,
        "outline": area_to_json(seen.outline) if seen.outline else None,
        "drone": seen.drone,
        "sortie": seen.sortie,
        "kind": seen.kind or None,
        "sources": list(seen.sources) or None,
        "power_w": seen.power_w,
        "facts": dict(seen.facts) or None,
    }


async def _keep_analysis(
    session: AsyncSession, frame: FrameRow, analysis: Analysis, site: Site, now: datetime
) -> None:
    frame.analysed_at, frame.skipped, frame.note = now, analysis.skipped, analysis.note
    frame.footprint = ring_to_json(analysis.footprint) if analysis.footprint else None
    for position, found in enumerate(analysis.detections):
        session.add(DetectionRow(frame=frame.id, position=position, **detection_to_json(found)))
    told = {
        "id": frame.id,
        "sortie": frame.sortie,
        "drone": frame.drone,
        "detections": len(analysis.detections),
    }
    await events.append(session, "frame", told, now=now)
    await coverage.keep_look(session, frame, analysis)
    session.add_all(FrameGroundRow(frame=frame.id, agency=agency) for agency in _shown_to(analysis, site))


def _shown_to(analysis: Analysis, site: Site) -> list[str]:
    """Return the agencies whose ground a picture shows, searched for a hazard they asked to hear of."""
    if analysis.skipped or not analysis.footprint:
        return []
    under = grounds_of(site).under(analysis.footprint)
    return [
        agency.id
        for agency in site.agencies
        if agency.id in under and any(s.hazards & analysis.searched for s in agency.subscriptions)
    ]
