"""What time does to incidents: not seen for long, they fade, and in the end they close.

An incident's own life ends here; the alerts and orders it raised end by the hands they are in.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession
from structlog.stdlib import get_logger

from api.store import incidents
from api.store.live import LiveIncidents
from missions.model import Site

log = get_logger(__name__)


async def age_incidents(
    session: AsyncSession, live: LiveIncidents, *, site: Site, now: datetime, public_url: str | None = None
) -> tuple[str, ...]:
    """Let incidents fade and close by the time that passed since they were seen; return the changed ones."""
    await live.begin(session)
    changes = live.open.age(now=now)
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
