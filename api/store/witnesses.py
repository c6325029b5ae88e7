"""Words of other witnesses into incidents, in the caller's transaction: either all of it is there, or none.

`record_sightings` may be called by any process (the command, a route, the coordinator): incidents are
decided one writer at a time, and a word read twice changes nothing. What it opens within reach of
the site is told like any incident; a satellite's view of the rest of the world is kept and told to
nobody.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.store import incidents
from api.store.recording import Imported, Recording
from api.store.tables.witnesses import SightingRow
from missions.model import Site
from vision.witnesses.sighting import Sighting, Witness

_FEW = 500


async def record_sightings(
    session: AsyncSession,
    sightings: Sequence[Sighting],
    *,
    site: Site,
    now: datetime,
    public_url: str | None = None,
) -> Imported:
    """Keep words of witnesses, open or join incidents by them, tell whom it concerns.

    Repeating is harmless.
    """
    await incidents.one_at_a_time(session)
    unique = {s.id: s for s in sightings}
    digests = {name: digest(s) for name, s in unique.items()}
    known = await _known(session, unique)
    fresh = [s for s in unique.values() if s.id not in known]
    changed = [s for s in unique.values() if s.id in known and known[s.id][0] != digests[s.id]]
    told = Imported(read=len(sightings), new=len(fresh), updated=len(changed))
    told.masked = sum(masked is not None for _, masked, _ in known.values())
    told.told_of = {(unique[name].source, incident) for name, (_, _, incident) in known.items() if incident}
    recording = Recording(session, site, now, public_url, told, digests)
    await recording.correct(changed)
    satellites = [s for s in fresh if s.witness is Witness.SATELLITE]
    if satellites:
        await recording.gather(satellites)
    for sighting in sorted(fresh, key=lambda s: (s.seen_at, s.id)):
        if sighting.witness is not Witness.SATELLITE:
            await recording.take(sighting)
    await recording.announce()
    return told


async def sightings_of(session: AsyncSession, incident_id: str) -> Sequence[SightingRow]:
    """Return what witnesses said of an incident, oldest first."""
    query = select(SightingRow).where(SightingRow.incident == incident_id)
    return (await session.scalars(query.order_by(SightingRow.seen_at, SightingRow.id))).all()


def digest(sighting: Sighting) -> str:
    """Return what tells whether a source says today what it said before."""
    said = f"{sighting.hazard}|{sighting.confidence}|{sighting.facts}"
    return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()


_Kept = tuple[str, str | None, str | None]


async def _known(session: AsyncSession, wanted: Mapping[str, Sighting]) -> dict[str, _Kept]:
    """Return digest, mask and incident of the words that are kept already."""
    if not wanted:
        return {}
    columns = select(SightingRow.id, SightingRow.digest, SightingRow.masked, SightingRow.incident)
    if len(wanted) <= _FEW:
        rows = await session.execute(columns.where(SightingRow.id.in_(wanted)))
    else:
        times = [s.seen_at for s in wanted.values()]
        kinds = {s.witness.value for s in wanted.values()}
        within = columns.where(SightingRow.witness.in_(kinds))
        rows = await session.execute(within.where(SightingRow.seen_at.between(min(times), max(times))))
    return {name: (kept, masked, incident) for name, kept, masked, incident in rows if name in wanted}
