"""Docks and drones, for the operator."""

from datetime import datetime

from fastapi import APIRouter

from api import views
from api.auth import Built, Operator
from api.schemas import Docks, DroneOut, Drones
from api.services import Json
from api.store import fleet
from api.store.models import DroneRow

router = APIRouter(tags=["fleet"])


@router.get("/docks")
async def docks(caller: Operator, built: Built) -> Docks:
    """List the docks as last heard of."""
    async with built.database.read() as session:
        return Docks(docks=[views.dock(row) for row in await fleet.docks(session)])


@router.get("/drones")
async def drones(caller: Operator, built: Built) -> Drones:
    """List the drones as last heard of."""
    live = built.feed.last("telemetry")
    async with built.database.read() as session:
        return Drones(drones=[_latest(row, live.get(row.id)) for row in await fleet.drones(session)])


def _latest(row: DroneRow, heard: Json | None) -> DroneOut:
    """Return the newer of what the database and what the bus last said."""
    kept = views.drone(row)
    if heard is None:
        return kept
    at = datetime.fromisoformat(heard["at"])
    if kept.updated_at is not None and kept.updated_at >= at:
        return kept
    news = {name: heard[name] for name in DroneOut.model_fields if name in heard}
    return DroneOut(**{**kept.model_dump(), **news, "updated_at": at})
