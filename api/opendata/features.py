"""The collections that are open to a caller, and their rows as flat GeoJSON features.

Properties are plain values, a column each, so that GDAL, QGIS and a spreadsheet
show them as they are. Coordinates are longitude and latitude on WGS84 (CRS84).
Row rights are those of every other interface (`store.tenancy`): a row that is
not the caller's does not exist, and a collection that is not for its role neither.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, defer

from api.discretion import is_rough, told_ellipse, told_place
from api.store.models import AlertRow, DockRow, FrameRow, IncidentRow, SortieRow
from api.store.tenancy import owned, seen_frames, seen_incidents
from api.store.tokens import Caller, Role
from missions.geo import LatLon
from missions.model import Hazard
from vision.model import Ellipse

Feature = dict[str, Any]

CHUNK = 500
"""Rows read at a time, so that a filter that lets few through does not fill the memory."""


@dataclass(frozen=True, slots=True)
class Collection:
    """One kind of feature: what it is called, its columns with their JSON types, and how rows become it."""

    id: str
    title: str
    description: str
    columns: dict[str, str]
    time: str | None
    rows: Callable[[Caller], Select[Any]]
    key: InstrumentedAttribute[str]
    at: InstrumentedAttribute[Any] | None
    to_feature: Callable[[Any, frozenset[Hazard]], Feature]
    is_for_agencies: bool = True

    def is_open_to(self, caller: Caller) -> bool:
        """Return whether a caller may know of this collection."""
        return caller.is_operator or (self.is_for_agencies and caller.role is Role.AGENCY)


async def features(
    session: AsyncSession,
    collection: Collection,
    caller: Caller,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    after: str | None = None,
    feature_id: str | None = None,
) -> AsyncIterator[Feature]:
    """Yield the caller's features of a collection by id, those after an id, within a time if told."""
    query = collection.rows(caller).order_by(collection.key).limit(CHUNK)
    if collection.at is not None:
        query = query.where(collection.at >= since) if since is not None else query
        query = query.where(collection.at <= until) if until is not None else query
    if feature_id is not None:
        query = query.where(collection.key == feature_id)
    last = after
    while True:
        page = query.where(collection.key > last) if last is not None else query
        rows = (await session.scalars(page)).all()
        for row in rows:
            yield collection.to_feature(row, caller.knows)
        if len(rows) < CHUNK:
            return
        last = rows[-1].id
        session.expunge_all()


def _dock(row: DockRow, _: frozenset[Hazard]) -> Feature:
    return _feature(
        row.id,
        _point(row.lat_deg, row.lon_deg),
        **_named("name", row.name),
        elevation_m=row.elevation_m,
        door=row.door,
        charger=row.charger,
        drones=", ".join(row.drones),
        wind_m_s=row.wind_m_s,
        rain_mm_h=row.rain_mm_h,
        updated_at=_time(row.updated_at),
    )


def _sortie(row: SortieRow, _: frozenset[Hazard]) -> Feature:
    line = {"type": "LineString", "coordinates": row.path} if len(row.path) > 1 else None
    return _feature(
        row.id,
        line,
        plan=row.plan,
        dock=row.dock,
        drone=row.drone,
        state=row.state,
        agencies=", ".join(row.agencies),
        flight_s=row.flight_s,
        energy_wh=row.energy_wh,
        shots_planned=row.shots_planned,
        shots_taken=row.shots_taken,
        started_at=_time(row.started_at),
        landed_at=_time(row.landed_at),
    )


def _frame(row: FrameRow, _: frozenset[Hazard]) -> Feature:
    return _feature(
        row.id,
        ring_geometry(row.footprint),
        sortie=row.sortie,
        drone=row.drone,
        sensor=row.sensor,
        taken_at=_time(row.taken_at),
        analysed_at=_time(row.analysed_at),
        skipped=row.skipped,
    )


def _incident(row: IncidentRow, knows: frozenset[Hazard]) -> Feature:
    """Return an incident; what is told only roughly to a reader is found only so by its searches too."""
    place = told_place(row.hazard, LatLon(row.lat_deg, row.lon_deg), knows)
    ellipse = told_ellipse(row.hazard, Ellipse(row.major_m, row.minor_m, row.bearing_deg), knows)
    return _feature(
        row.id,
        _point(place.lat_deg, place.lon_deg),
        hazard=row.hazard,
        severity=row.severity,
        state=row.state,
        **_named("place", row.place_name),
        confidence=row.confidence,
        within_m=ellipse.major_m,
        area_m2=row.area_m2,
        temp_max_c=row.temp_max_c,
        opened_at=_time(row.opened_at),
        seen_at=_time(row.seen_at),
        looks=row.looks,
    )


def _alert(row: AlertRow, knows: frozenset[Hazard]) -> Feature:
    last = row.history[-1] if row.history else {}
    told = last.get("incident" if is_rough(row.hazard, knows) or "exact" not in last else "exact")
    return _feature(
        row.id,
        _point(told["lat_deg"], told["lon_deg"]) if told else None,
        incident=row.incident,
        agency=row.agency,
        state=row.state,
        hazard=row.hazard,
        severity=row.severity,
        **_named("title", row.title),
        **_named("place", row.place_name),
        raised_at=_time(row.raised_at),
        told_at=_time(row.told_at),
        acknowledged_at=_time(row.acknowledged_at),
        revision=row.revision,
    )


def _incidents_of(caller: Caller) -> Select[IncidentRow]:
    seen = seen_incidents(caller)
    return select(IncidentRow) if seen is None else select(IncidentRow).where(IncidentRow.id.in_(seen))


def _alerts_of(caller: Caller) -> Select[AlertRow]:
    return select(AlertRow).where(owned(caller, AlertRow.agency))


def frames_of(caller: Caller) -> Select[FrameRow]:
    """Return the query of the frames a caller may see."""
    seen = seen_frames(caller)
    return select(FrameRow) if seen is None else select(FrameRow).where(FrameRow.id.in_(seen))


def _shown(caller: Caller) -> Select[FrameRow]:
    return frames_of(caller).where(FrameRow.footprint.is_not(None))


def _sorties_of(caller: Caller) -> Select[SortieRow]:
    return select(SortieRow).options(defer(SortieRow.items))


def _docks_of(caller: Caller) -> Select[DockRow]:
    return select(DockRow)


def ring_geometry(ring: Sequence[Sequence[float]] | None) -> dict[str, Any] | None:
    """Return an open ring of [longitude, latitude] as a GeoJSON polygon."""
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]} if ring else None


def _feature(feature_id: str, geometry: dict[str, Any] | None, **properties: Any) -> Feature:
    return {"type": "Feature", "id": feature_id, "geometry": geometry, "properties": properties}


def _point(lat_deg: float, lon_deg: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [lon_deg, lat_deg]}


def _named(name: str, names: dict[str, str]) -> dict[str, str]:
    return {
        f"{name}_{language.partition('-')[0]}": names.get(language, "") for language in ("en-US", "zh-CN")
    }


def _time(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None


_TEXT, _NUMBER, _WHOLE, _TIME = "string", "number", "integer", "date-time"

COLLECTIONS = {
    found.id: found
    for found in (
        Collection(
            "incidents",
            "Incidents",
            "Events on the ground, best estimate first.",
            {
                "hazard": _TEXT,
                "severity": _TEXT,
                "state": _TEXT,
                "place_en": _TEXT,
                "place_zh": _TEXT,
                "confidence": _NUMBER,
                "within_m": _NUMBER,
                "area_m2": _NUMBER,
                "temp_max_c": _NUMBER,
                "opened_at": _TIME,
                "seen_at": _TIME,
                "looks": _WHOLE,
            },
            "seen_at",
            _incidents_of,
            IncidentRow.id,
            IncidentRow.seen_at,
            _incident,
        ),
        Collection(
            "alerts",
            "Alerts",
            "Incidents told to agencies, and what became of that.",
            {
                "incident": _TEXT,
                "agency": _TEXT,
                "state": _TEXT,
                "hazard": _TEXT,
                "severity": _TEXT,
                "title_en": _TEXT,
                "title_zh": _TEXT,
                "place_en": _TEXT,
                "place_zh": _TEXT,
                "raised_at": _TIME,
                "told_at": _TIME,
                "acknowledged_at": _TIME,
                "revision": _WHOLE,
            },
            "told_at",
            _alerts_of,
            AlertRow.id,
            AlertRow.told_at,
            _alert,
        ),
        Collection(
            "coverage",
            "Coverage",
            "The ground that each picture shows.",
            {
                "sortie": _TEXT,
                "drone": _TEXT,
                "sensor": _TEXT,
                "taken_at": _TIME,
                "analysed_at": _TIME,
                "skipped": _TEXT,
            },
            "taken_at",
            _shown,
            FrameRow.id,
            FrameRow.taken_at,
            _frame,
        ),
        Collection(
            "docks",
            "Docks",
            "Docks as last heard of.",
            {
                "name_en": _TEXT,
                "name_zh": _TEXT,
                "elevation_m": _NUMBER,
                "door": _TEXT,
                "charger": _TEXT,
                "drones": _TEXT,
                "wind_m_s": _NUMBER,
                "rain_mm_h": _NUMBER,
                "updated_at": _TIME,
            },
            None,
            _docks_of,
            DockRow.id,
            None,
            _dock,
            is_for_agencies=False,
        ),
        Collection(
            "sorties",
            "Sorties",
            "Planned and flown paths.",
            {
                "plan": _TEXT,
                "dock": _TEXT,
                "drone": _TEXT,
                "state": _TEXT,
                "agencies": _TEXT,
                "flight_s": _NUMBER,
                "energy_wh": _NUMBER,
                "shots_planned": _WHOLE,
                "shots_taken": _WHOLE,
                "started_at": _TIME,
                "landed_at": _TIME,
            },
            "started_at",
            _sorties_of,
            SortieRow.id,
            SortieRow.started_at,
            _sortie,
            is_for_agencies=False,
        ),
    )
}
