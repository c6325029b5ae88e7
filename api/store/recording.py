"""One import of witnesses' words under way: what each opens, joins and makes surer, told at the end.

Satellites' hot spots come by the thousand and are taken as arrays (`api.store.gathering`); everybody
else's words one by one, in the order of time.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy.ext.asyncio import AsyncSession

from api import alerts
from api.analysis import area_to_json
from api.discretion import named_place
from api.reach import Reach
from api.store import gathering, incidents, standings
from api.store.gathering import Event
from api.store.models import IncidentRow
from api.store.rows import Columns, insert_many
from api.store.silence import silence
from api.store.tables.witnesses import SightingRow, StandingRow
from api.verification import Purpose, request_look
from missions.geo import LatLon
from missions.model import Severity, Site
from missions.words import LANGUAGES, text
from vision.model import Incident
from vision.witnesses.agreement import raised
from vision.witnesses.joining import attribute
from vision.witnesses.sighting import Sighting, Witness

WORTH_A_LOOK = timedelta(hours=6)
"""An older word asks for no flight: what it tells of has changed since."""

TOUCHES = {
    "opened": "touches no event that is known",
    "joined": "touches an event that is known",
    "masked": "",
}


@dataclass(slots=True)
class Imported:
    """What some words changed; `told_of` pairs each source with the incidents it tells of, known or new."""

    read: int = 0
    new: int = 0
    updated: int = 0
    masked: int = 0
    opened: int = 0
    joined: int = 0
    told_of: set[tuple[str, str]] = field(default_factory=set)

    @property
    def incidents(self) -> dict[str, int]:
        """How many incidents each source tells of."""
        return dict(sorted(Counter(source for source, _ in self.told_of).items()))


class Recording:
    """One import under way, within one transaction; what it changes is told at its end."""

    def __init__(
        self,
        session: AsyncSession,
        site: Site,
        now: datetime,
        public_url: str | None,
        told: Imported,
        digests: Mapping[str, str],
    ) -> None:
        self._session, self._site, self._now, self._public_url = session, site, now, public_url
        self._told, self._digests, self._reach = told, digests, Reach.of(site)
        self._news: dict[str, None] = {}

    async def correct(self, changed: Iterable[Sighting]) -> None:
        """Put the newer words of a source in the place of its earlier ones; incidents only grow surer."""
        for sighting in changed:
            row = await self._session.get_one(SightingRow, sighting.id)
            row.confidence, row.facts = sighting.confidence, dict(sighting.facts)
            row.digest, row.notes = self._digests[sighting.id], list(sighting.notes) or None
            if row.incident is not None:
                await self._credit(await self._session.get_one(IncidentRow, row.incident), sighting, count=0)
                self._news[row.incident] = None

    async def gather(self, satellites: list[Sighting]) -> None:
        """Take many hot spots at once: those that touch are one event."""
        found = await gathering.gather(self._session, satellites, self._reach)
        self._told.masked += sum(reason is not None for reason in found.masked)
        opened = [event for event in found.events if event.known is None]
        if opened:
            await insert_many(self._session, IncidentRow, gathering.incident_columns(opened, self._now))
            await insert_many(self._session, StandingRow, self._standings(opened))
        for event in found.events:
            self._told.told_of |= {(word[0], event.id) for word in event.words}
            if event.known is not None:
                await self._grow(event)
            if self._reach.covers(event.place):
                self._news[event.id] = None
        self._told.opened += len(opened)
        self._told.joined += len(found.events) - len(opened)
        belongs = {i: event for event in found.events for i in event.members}
        events = [belongs.get(i) for i in range(len(satellites))]
        await insert_many(self._session, SightingRow, self._columns(satellites, found.masked, events))

    async def take(self, sighting: Sighting) -> None:
        """Take one word of somebody who is not a satellite."""
        around = await gathering.open_around(self._session, self._reach)
        found = attribute(around, sighting)
        if found.incident is None:
            row = await self._open(sighting)
            self._told.opened += 1
        else:
            was_exact = next(t.is_exact for t in around if t.incident.id == found.incident.id)
            row = await self._join(found.incident, sighting, was_exact)
            self._told.joined += 1
        self._told.told_of.add((sighting.source, row.id))
        self._news[row.id] = None
        columns = self._columns([sighting], [None], [None])
        values = {name: value[0] for name, value in columns.items()}
        values |= {"incident": row.id, "reason": found.reason}
        values["decision"] = "opened" if found.incident is None else "joined"
        self._session.add(SightingRow(**values))
        await self._session.flush()

    async def announce(self) -> None:
        """Tell whom the new and changed incidents concern; ask for a look at what nobody has seen."""
        live = []
        for incident_id in self._news:
            row = await self._session.get_one(IncidentRow, incident_id)
            if row.state == "closed":
                continue
            live.append(row)
            place = LatLon(row.lat_deg, row.lon_deg)
            row.place_name = named_place(row.hazard, place, self._site.layers)
            told = await standings.standing(self._session, incident_id)
            if told is not None and told.standing == standings.UNCONFIRMED:
                told.note = await silence(self._session, row, before=self._now)
                await self._ask_for_a_look(row, told)
        await self._session.flush()
        await incidents.announce_all(
            self._session, live, site=self._site, now=self._now, public_url=self._public_url
        )

    async def _ask_for_a_look(self, row: IncidentRow, told: StandingRow) -> None:
        is_fresh = self._now - row.seen_at <= WORTH_A_LOOK
        if is_fresh and self._reach.can_fly_to(LatLon(row.lat_deg, row.lon_deg)):
            by = f"witness:{told.sources[-1]['witness']}"
            await request_look(self._session, row.id, purpose=Purpose.CONFIRM, asked_by=by, now=self._now)

    async def _open(self, sighting: Sighting) -> IncidentRow:
        incident = Incident(
            id=standings.incident_id_of(sighting.id),
            hazard=sighting.hazard,
            place=sighting.place,
            ellipse=sighting.ellipse,
            confidence=0.0,  # the word's own is credited like any further one
            opened_at=sighting.seen_at,
            seen_at=sighting.seen_at,
            looks=0,
        )
        row = await incidents.save_incident(self._session, incident, None)
        row.state = gathering.state_of(sighting.seen_at, sighting.hazard, self._now)
        await self._credit(row, sighting)
        return row

    async def _join(self, joined: Incident, sighting: Sighting, was_exact: bool) -> IncidentRow:
        row = await self._session.get_one(IncidentRow, joined.id)
        row.opened_at, row.seen_at = joined.opened_at, joined.seen_at
        if not was_exact:
            row.hazard, row.severity = joined.hazard.value, alerts.severity(joined).value
            row.lat_deg, row.lon_deg = joined.place.lat_deg, joined.place.lon_deg
            row.major_m, row.minor_m = joined.ellipse.major_m, joined.ellipse.minor_m
            row.bearing_deg = joined.ellipse.bearing_deg
        told = await self._credit(row, sighting)
        if was_exact and told.standing == standings.UNCONFIRMED:
            told.standing, told.changed_at = standings.CONFIRMED, self._now
            told.reason = _worded("already_seen", sighting)
        return row

    async def _credit(self, row: IncidentRow, sighting: Sighting, *, count: int = 1) -> StandingRow:
        """Add a word to what an incident rests on, and how much surer it makes us."""
        told = await standings.standing(self._session, row.id)
        if told is None:
            told = StandingRow(incident=row.id, standing=standings.UNCONFIRMED, sources=[], note=None)
            told.reason, told.changed_at = _worded("told", sighting), self._now
            self._session.add(told)
        before = standings.surest(told.sources, sighting.witness)
        told.sources = standings.with_word(
            told.sources, sighting.witness, sighting.source, sighting.confidence,
            first_at=sighting.seen_at, last_at=sighting.seen_at, count=count,
        )  # fmt: skip
        if told.standing == standings.UNCONFIRMED and not sighting.witness.asks_for_a_look:
            told.standing, told.changed_at = standings.CONFIRMED, self._now
            told.reason = _worded("at_hand", sighting)
        row.confidence = raised(row.confidence, before=before, now=sighting.confidence)
        if sighting.severity is not None and sighting.severity.rank > Severity(row.severity).rank:
            row.severity = sighting.severity.value
        await self._session.flush()
        return told

    async def _grow(self, event: Event) -> None:
        """Let an incident grow by hot spots that touch it; one that a drone has seen stays in place."""
        row = await self._session.get_one(IncidentRow, event.id)
        if row.looks == 0:
            row.lat_deg, row.lon_deg = event.place.lat_deg, event.place.lon_deg
            row.major_m, row.minor_m = event.ellipse.major_m, event.ellipse.minor_m
            row.bearing_deg = event.ellipse.bearing_deg
        row.opened_at, row.seen_at = min(row.opened_at, event.first_at), max(row.seen_at, event.last_at)
        told = await standings.standing(self._session, row.id)
        if told is None:  # our drones found it by themselves
            told = StandingRow(incident=row.id, standing=standings.CONFIRMED, sources=[], note=None)
            told.reason, told.changed_at = _worded("already_seen", event.first), self._now
            self._session.add(told)
        before = standings.surest(told.sources, Witness.SATELLITE)
        told.sources = event.provenance(told.sources)
        row.confidence = raised(row.confidence, before=before, now=event.confidence)

    def _standings(self, opened: Sequence[Event]) -> Columns:
        count = len(opened)
        return {
            "incident": [e.id for e in opened],
            "standing": [standings.UNCONFIRMED] * count,
            "reason": [_worded("told", e.first) for e in opened],
            "changed_at": [self._now] * count,
            "sources": [e.provenance([]) for e in opened],
        }

    def _columns(
        self, words: Sequence[Sighting], masked: Sequence[str | None], events: Sequence[Event | None]
    ) -> Columns:
        """Return the rows of words; those of an event say what the event did."""
        decisions = [_decision(why, event) for why, event in zip(masked, events, strict=True)]
        return {
            "id": [s.id for s in words],
            "digest": [self._digests[s.id] for s in words],
            "witness": [s.witness.value for s in words],
            "source": [s.source for s in words],
            "hazard": [s.hazard.value for s in words],
            "confidence": [s.confidence for s in words],
            "lat_deg": [s.place.lat_deg for s in words],
            "lon_deg": [s.place.lon_deg for s in words],
            "major_m": [s.ellipse.major_m for s in words],
            "minor_m": [s.ellipse.minor_m for s in words],
            "bearing_deg": [s.ellipse.bearing_deg for s in words],
            "seen_at": [s.seen_at for s in words],
            "received_at": [self._now] * len(words),
            "incident": [event.id if event else None for event in events],
            "decision": decisions,
            "reason": [why or TOUCHES[d] for why, d in zip(masked, decisions, strict=True)],
            "masked": masked,
            "severity": [s.severity.value if s.severity else None for s in words],
            "facts": [s.facts for s in words],
            "outline": [area_to_json(s.outline) if s.outline else None for s in words],
            "notes": [list(s.notes) or None for s in words],
        }


def _decision(masked: str | None, event: Event | None) -> str:
    if masked:
        return "masked"
    return "joined" if event is not None and event.known is not None else "opened"


def _worded(key: str, sighting: Sighting) -> dict[str, str]:
    """Return a sentence about whose word it is, in every language."""
    return _worded_of(key, sighting.witness.value, sighting.source)


@cache
def _worded_of(key: str, witness: str, source: str) -> dict[str, str]:
    return {
        language: text(
            f"witness.{key}", language, witness=text(f"witness.name.{witness}", language), source=source
        )
        for language in LANGUAGES
    }
