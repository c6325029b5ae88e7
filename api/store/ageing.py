"""What time and clean looks do to incidents: not seen for long, or not there any more, they fade and close.

An incident's own life ends here; the alerts and orders it raised end by the hands they are in.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

import shapely
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.stdlib import get_logger

from api.store import coverage, incidents
from api.store.coverage import VISIT, WHOLE
from api.store.live import LiveIncidents
from api.store.tables.witnesses import LookRow
from missions.model import Site
from vision.lifecycle import Change, looked
from vision.model import Incident

log = get_logger(__name__)

LATELY = timedelta(hours=1)
"""Visits are counted within this time; those that nobody was there to count for longer are not."""

WOULD_HAVE_SHOWN = 0.8
"""How likely one visit shows what is there: stated, since crowns and smoke hide more than our simulator's do.

One clean visit lets an incident fade, a second one closes it.
"""


async def age_incidents(
    session: AsyncSession, live: LiveIncidents, *, site: Site, now: datetime, public_url: str | None = None
) -> tuple[str, ...]:
    """Let incidents fade and close by time and by visits that found nothing; return the changed ones."""
    await live.begin(session)
    changes = live.open.age(now=now)
    aged = {change.incident.id for change in changes}
    changes += [c for c in await _passed_over(session, live, now=now) if c.incident.id not in aged]
    for change in changes:
        live.put(change.incident)
        log.info(
            "incident aged",
            incident=change.incident.id,
            state=change.incident.state.value,
            reason=change.reason,
        )
    if changes:
        changed = [incidents.Changed(change.incident) for change in changes]
        rows = await incidents.save_all(session, live, changed, site=site)
        await incidents.announce_all(session, rows, site=site, now=now, public_url=public_url, live=live)
    await live.finish(session)
    return tuple(change.incident.id for change in changes)


async def _passed_over(session: AsyncSession, live: LiveIncidents, *, now: datetime) -> list[Change]:
    """Return what visits that are over change: those that showed where an incident is, and nothing there.

    Words of others are settled by the looks that were asked for (`api.store.clearing`), not here.
    """
    rows = await coverage.looks(session, since=now - LATELY, until=now)
    known = [incident for incident in live.open if incident.state.is_live]
    if not rows or not known:
        return []
    boxes = [shapely.box(row.west_deg, row.south_deg, row.east_deg, row.north_deg) for row in rows]
    places = shapely.points([(incident.place.lon_deg, incident.place.lat_deg) for incident in known])
    shown: dict[int, list[LookRow]] = defaultdict(list)
    for incident, row in zip(*shapely.STRtree(boxes).query(places), strict=True):
        shown[incident].append(rows[row])
    found = (_clean_visit(known[k], sorted(mine, key=_taken_at), now) for k, mine in shown.items())
    return [change for change in found if change is not None]


def _clean_visit(incident: Incident, rows: Sequence[LookRow], now: datetime) -> Change | None:
    visit = coverage.visit(incident.place, incident.ellipse, incident.hazard, rows)
    if visit is None or not visit.is_clean or visit.share < WHOLE or now - visit.at < VISIT:
        return None
    return looked(incident, at=visit.at, chance=WOULD_HAVE_SHOWN)


def _taken_at(row: LookRow) -> tuple[datetime, str]:
    return row.taken_at, row.frame
