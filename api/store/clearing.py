"""What looks tell of an incident: seen again, clean, or not shown; and how one that was told of ends."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import and_, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.alerts import event as hazard_name
from api.reach import Reach
from api.shapes import ellipse_ring
from api.store import alerting, coverage, incidents, standings
from api.store.models import IncidentRow, ObservationRow
from api.store.tables.witnesses import LookRequestRow, StandingRow
from api.verification import Outcome, Purpose, worded
from missions.geo import LatLon
from missions.model import Hazard, Site
from missions.words import LANGUAGES, text
from vision.model import Ellipse
from vision.witnesses.joining import LASTS, LASTS_ELSE, are_kin

ENOUGH = 0.9
"""The share of the 95 % ellipse that pictures must show before "nothing found" clears it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the looks since a request tell, with the reason in every language."""

    outcome: Outcome
    reason: dict[str, str]


async def is_seen(session: AsyncSession, request: LookRequestRow, incident: IncidentRow) -> bool:
    """Return whether a drone has seen the incident since somebody asked."""
    told = await standings.standing(session, incident.id)
    if request.purpose == Purpose.CONFIRM.value and told is not None:
        return told.standing == standings.CONFIRMED
    seen = select(ObservationRow.id).where(
        ObservationRow.incident == incident.id, ObservationRow.seen_at > request.asked_at
    )
    return (await session.scalars(seen.limit(1))).first() is not None


async def verdict(
    session: AsyncSession, request: LookRequestRow, incident: IncidentRow, site: Site
) -> Verdict:
    """Return what all looks at a place since somebody asked tell, whichever flight they are of."""
    place, ellipse = LatLon(incident.lat_deg, incident.lon_deg), _ellipse(incident)
    ring = ellipse_ring(place, ellipse)
    lats, lons = [p.lat_deg for p in ring], [p.lon_deg for p in ring]
    rows = await coverage.looks(
        session, since=request.asked_at, bounds=(min(lons), min(lats), max(lons), max(lats))
    )
    hazard = Hazard(incident.hazard)
    if rows and not any(are_kin(Hazard(h), hazard) for row in rows for h in row.hazards):
        return Verdict(Outcome.NOT_SEEN, _not_searched(hazard))
    visit = coverage.visit(place, ellipse, hazard, rows)
    percent = int(100 * visit.share) if visit else 0
    if visit is not None and not visit.is_clean:
        if request.purpose == Purpose.CONFIRM.value:
            return Verdict(Outcome.NOT_SEEN, worded("something_else"))
        return Verdict(Outcome.SEEN, worded("seen_again"))
    if visit is None or visit.share < ENOUGH:
        return Verdict(Outcome.NOT_SEEN, worded("not_shown", percent=percent))
    at = f"{visit.at.astimezone(ZoneInfo(site.timezone)):%H:%M}"
    return Verdict(
        Outcome.CLEAN,
        {
            language: text(
                "witness.clean",
                language,
                looks=visit.looks,
                time=at,
                percent=percent,
                sensor=text(f"witness.sensor.{visit.sensor}", language),
            )
            for language in LANGUAGES
        },
    )


async def clear(
    session: AsyncSession,
    incident: IncidentRow,
    reason: dict[str, str],
    *,
    site: Site,
    now: datetime,
    public_url: str | None,
) -> None:
    """Close an incident because a look that could have seen it saw nothing, and tell whom it concerned.

    One that was only told of is cleared: it never was. One that drones had seen is over.
    """
    await incidents.one_at_a_time(session)
    told = await standings.standing(session, incident.id)
    incident.state = "closed"
    await session.flush()
    if told is not None and told.standing == standings.UNCONFIRMED:
        told.standing, told.reason, told.changed_at = standings.CLEARED, reason, now
        telling = alerting.Telling(site, now, public_url)
        await alerting.cancel_all(session, incident.id, telling, note=reason["en-US"])
    await incidents.announce(session, incident.id, site=site, now=now, public_url=public_url)


async def let_go(
    session: AsyncSession, reach: Reach, *, site: Site, now: datetime, public_url: str | None
) -> int:
    """Close what was told of so long ago that it says nothing of today, and that no look could settle.

    Return how many incidents that were. Their standing stays: nobody knows whether they were true.
    """
    await incidents.one_at_a_time(session)
    unconfirmed = select(StandingRow.incident).where(StandingRow.standing == standings.UNCONFIRMED)
    is_flood = IncidentRow.hazard == Hazard.FLOOD.value
    old = select(IncidentRow.id, IncidentRow.lat_deg, IncidentRow.lon_deg).where(
        IncidentRow.id.in_(unconfirmed),
        IncidentRow.state != "closed",
        or_(
            and_(is_flood, IncidentRow.seen_at < now - LASTS[Hazard.FLOOD]),
            and_(not_(is_flood), IncidentRow.seen_at < now - LASTS_ELSE),
        ),
    )
    found = (await session.execute(old)).all()
    if not found:
        return 0
    over = update(IncidentRow).where(IncidentRow.id.in_(old.with_only_columns(IncidentRow.id)))
    await session.execute(over.values(state="closed"))
    for incident_id, lat_deg, lon_deg in found:
        if reach.covers(LatLon(lat_deg, lon_deg)):
            await incidents.announce(session, incident_id, site=site, now=now, public_url=public_url)
    return len(found)


def _ellipse(incident: IncidentRow) -> Ellipse:
    return Ellipse(incident.major_m, incident.minor_m, incident.bearing_deg)


def _not_searched(hazard: Hazard) -> dict[str, str]:
    return {
        language: text("witness.not_searched", language, hazard=hazard_name(hazard, language))
        for language in LANGUAGES
    }
