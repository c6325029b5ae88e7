"""Docks and drones as last heard of."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api import views
from api.store import events
from api.store.models import DockRow, DroneRow
from missions.model import Site

Json = Mapping[str, Any]

_FLYING = (
    "state",
    "lat_deg",
    "lon_deg",
    "altitude_m",
    "above_home_m",
    "heading_deg",
    "speed_m_s",
    "battery_percent",
    "mode",
    "armed",
    "sortie",
)


async def seed_site(session: AsyncSession, site: Site, *, gateway: str) -> None:
    """Make the docks and drones of a site known; what was heard of them meanwhile stays."""
    for dock in site.docks:
        row = await session.get(DockRow, dock.id)
        if row is None:
            row = DockRow(id=dock.id, drones=[d.id for d in site.drones if d.dock == dock.id])
            session.add(row)
        row.name = dict(dock.name)
        row.lat_deg, row.lon_deg = dock.place.lat_deg, dock.place.lon_deg
        row.elevation_m = dock.elevation_m
    await session.flush()
    for drone in site.drones:
        known = await session.get(DroneRow, drone.id)
        if known is None:
            known = DroneRow(id=drone.id, state="unknown")
            session.add(known)
        known.model, known.dock, known.system_id = drone.model, drone.dock, drone.system_id
        known.gateway = gateway
    await session.flush()


async def record_telemetry(session: AsyncSession, heard: Json) -> bool:
    """Keep what a gateway says of a drone; return whether it is newer than what we have.

    Called when the state changes and every few seconds, not at the rate of the link.
    """
    row = await session.get(DroneRow, heard["drone"])
    at = _time(heard["at"])
    if row is None or (row.updated_at is not None and row.updated_at > at):
        return False
    for name in _FLYING:
        if name in heard:
            setattr(row, name, heard[name])
    row.updated_at = at
    return True


async def record_dock(session: AsyncSession, heard: Json, *, now: datetime) -> bool:
    """Keep what a dock says of itself; return whether its door, charger or drones changed.

    A change becomes an event `dock`; the repeated "nothing new" does not.
    """
    row = await session.get(DockRow, heard["dock"])
    at = _time(heard["at"])
    if row is None or (row.updated_at is not None and row.updated_at > at):
        return False
    before = (row.door, row.charger, row.drones)
    row.door, row.charger = heard.get("door"), heard.get("charger")
    row.drones = list(heard.get("drones_in", row.drones))
    row.wind_m_s, row.rain_mm_h = heard.get("wind_m_s"), heard.get("rain_mm_h")
    row.updated_at = at
    if before == (row.door, row.charger, row.drones):
        return False
    await events.append(session, "dock", views.plain(views.dock(row)), now=now)
    return True


async def docks(session: AsyncSession) -> Sequence[DockRow]:
    """Return all docks by id."""
    return (await session.scalars(select(DockRow).order_by(DockRow.id))).all()


async def drones(session: AsyncSession) -> Sequence[DroneRow]:
    """Return all drones by id."""
    return (await session.scalars(select(DroneRow).order_by(DroneRow.id))).all()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
