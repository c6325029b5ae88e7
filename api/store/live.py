"""The live incidents as one process knows them: found by place in memory, true to the database.

Every change of an incident carries a number greater than all before it
(`IncidentRow.changed_seq`, given inside the writing transaction). Before it decides,
a process reads what has changed since the last number it saw, which mostly is
nothing. What a transaction changes counts here only once it is committed; after one
that failed, everything is read again.

Writers of incidents take turns: SQLite has one writer at a time, on PostgreSQL they
hold a lock until they commit. So two processes never open two incidents for one fire.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from pydantic_core import from_json, to_json
from sqlalchemy import event, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from api.alerts import Told
from api.store.base import JsonText
from api.store.models import IncidentRow
from api.store.tables.orders import StormRow
from api.store.tables.witnesses import StandingRow
from missions.geo import LatLon
from missions.model import Hazard
from vision.model import Ellipse, Incident, IncidentState, Spot
from vision.openincidents import OpenIncidents

_DECIDING = 7177003

MOST_HISTORIES = 20_000
"""So many alerts' histories are remembered; what is forgotten is read again."""

# A drift that is never forgotten lasts infinitely long, for which JSON has no number.
_SPOTS: TypeAdapter[tuple[Spot, ...]] = TypeAdapter(
    tuple[Spot, ...], config=ConfigDict(ser_json_inf_nan="strings")
)
_TIME: TypeAdapter[datetime | None] = TypeAdapter(datetime | None)

_NEWEST = select(func.max(IncidentRow.__table__.c.changed_seq))

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """What an incident's row shows beside: its place in words and for which place, its best picture."""

    named_at: LatLon
    place_name: Json
    best_frame: str | None
    severity: str


@dataclass(slots=True)
class LiveIncidents:
    """What one process knows of the live incidents. Used from one event loop.

    `open` finds them by place, `shown` is what their rows show beside, `storms` says which storm each
    is part of, `told` which rest on somebody's word alone and are not in `open`. `histories` says by alert
    what its agency was told with which revision.
    """

    open: OpenIncidents = field(default_factory=OpenIncidents)
    by_id: dict[str, Incident] = field(default_factory=dict)
    shown: dict[str, Shown] = field(default_factory=dict)
    storms: dict[str, str] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    histories: dict[str, tuple[int, Told]] = field(default_factory=dict)
    seq: int = -1
    _is_sure: bool = True

    @property
    def is_anything_told(self) -> bool:
        """Whether some live incident rests on somebody's word alone; those are confirmed, not joined."""
        return bool(self.told)

    async def begin(self, session: AsyncSession) -> None:
        """Come up to date inside a writing transaction, after waiting for the turn to write incidents."""
        await one_at_a_time(session)
        if not self._is_sure:
            self._forget()
        # Until the commit, what follows may be undone.
        self._is_sure = False
        event.listen(session.sync_session, "after_commit", self._committed, once=True)
        newest = await session.scalar(_NEWEST)
        if (newest or 0) > self.seq:
            changed = select(IncidentRow).where(IncidentRow.changed_seq > self.seq)
            if self.seq < 0:
                changed = changed.where(IncidentRow.state != IncidentState.CLOSED.value)
            await self._read(session, changed)
        self.seq = max(newest or 0, 0)

    async def finish(self, session: AsyncSession) -> None:
        """Take what this transaction wrote for known, so that it is not read again."""
        self.seq = await session.scalar(_NEWEST) or 0
        if len(self.histories) > MOST_HISTORIES:
            self.histories.clear()
        if len(self.shown) > len(self.by_id):  # some are over: their last row is written now
            self.shown = {name: shown for name, shown in self.shown.items() if name in self.by_id}

    def put(self, incident: Incident) -> None:
        """Know an incident as it now is; one that is over is forgotten."""
        if not incident.state.is_live:
            self.open.drop(incident.id)
            self.by_id.pop(incident.id, None)
            self.told.discard(incident.id)
            return
        self.open.put(incident)
        self.by_id[incident.id] = incident

    async def _read(self, session: AsyncSession, changed: Any) -> None:
        rows = (await session.scalars(changed)).all()
        unconfirmed = select(StandingRow.incident).where(
            StandingRow.standing == "unconfirmed", StandingRow.incident.in_([row.id for row in rows])
        )
        told = set(await session.scalars(unconfirmed))
        for row in rows:
            self.put(to_incident(row))
            here = LatLon(row.lat_deg, row.lon_deg)
            self.shown[row.id] = Shown(here, row.place_name, row.best_frame, row.severity)
            self.told.discard(row.id)
            if row.id in told and row.id in self.by_id:
                self.told.add(row.id)
                self.open.drop(row.id)
        parts = select(StormRow.incident, StormRow.storm)
        if self.seq >= 0:
            parts = parts.where(StormRow.incident.in_([row.id for row in rows]))
        self.storms |= {part: storm for part, storm in await session.execute(parts)}

    def _committed(self, session: Session) -> None:
        self._is_sure = True

    def _forget(self) -> None:
        self.open, self.by_id, self.shown, self.storms = OpenIncidents(), {}, {}, {}
        self.told, self.histories, self.seq = set(), {}, -1


async def one_at_a_time(session: AsyncSession) -> None:
    """Let no other transaction decide on incidents until this one is over; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _DECIDING})


def to_incident(row: IncidentRow, *, whole: bool = True) -> Incident:
    """Return a row as the value that decisions are made on.

    whole: with its sources; without them `row.details` need not be loaded.
    """
    more = (row.details or {}) if whole else {}
    incident = Incident(
        id=row.id,
        hazard=Hazard(row.hazard),
        place=LatLon(row.lat_deg, row.lon_deg),
        ellipse=Ellipse(row.major_m, row.minor_m, row.bearing_deg),
        confidence=row.confidence,
        opened_at=row.opened_at,
        seen_at=row.seen_at,
        looks=row.looks,
        area_m2=row.area_m2,
        temp_max_c=row.temp_max_c,
        best_shot=row.best_frame or "",
        best_confidence=row.best_confidence,
        state=IncidentState(row.state),
        facts=row.facts or {},
    )
    if not more:
        return incident
    return replace(
        incident,
        spots=_SPOTS.validate_python(more["spots"]),
        merged=tuple(more["merged"]),
        base_area_m2=more["base_area_m2"],
        base_at=_TIME.validate_python(more["base_at"]),
        clean_miss=more["clean_miss"],
        looked_at=_TIME.validate_python(more.get("looked_at")),
    )


def details(incident: Incident) -> Json:
    """Return what of an incident nobody searches by, as JSON values; `to_incident` reads it again."""
    known: Json = from_json(details_text(incident))
    return known


def details_text(incident: Incident) -> JsonText:
    """Return the details of an incident as JSON text."""
    spots = _SPOTS.dump_json(incident.spots).decode()
    rest = {
        "merged": incident.merged,
        "base_area_m2": incident.base_area_m2,
        "base_at": incident.base_at,
        "clean_miss": incident.clean_miss,
        "looked_at": incident.looked_at,
    }
    return JsonText(f'{{"spots":{spots},{to_json(rest).decode()[1:]}')
