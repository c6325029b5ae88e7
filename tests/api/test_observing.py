"""Observations over HTTP: kept with all that follows, once, however many come together."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
from sqlalchemy import func, select

from api.services import Services
from api.store.models import AlertRow, IncidentRow, ObservationRow
from tests.api.world import FOREST, NOW, frame_form, frame_id

Client = Callable[[str | None], httpx.AsyncClient]


def told(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"o{number}",
        "frame": frame_id(1),
        "hazard": "fire",
        "confidence": 0.9,
        "lat_deg": FOREST.lat_deg,
        "lon_deg": FOREST.lon_deg,
        "ellipse": {"major_m": 5.0, "minor_m": 3.0, "bearing_deg": 30.0},
        "seen_at": NOW.isoformat(),
        "detector": "edge 1",
        "area_m2": 1.0,
        **changes,
    }


async def count(services: Services, row: Any) -> int:
    async with services.database.read() as session:
        return int(await session.scalar(select(func.count()).select_from(row)) or 0)


async def test_an_observation_is_answered_with_the_incident_it_belongs_to(
    services: Services, client_of: Client
) -> None:
    gateway = client_of("gateway")
    await gateway.post("/v1/frames", **frame_form())
    first = await gateway.post("/v1/observations", json=told(1))
    second = await gateway.post("/v1/observations", json=told(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["decision"] == "opened"
    assert second.json()["decision"] == "joined"
    assert first.json()["incident"] == second.json()["incident"]
    assert await count(services, AlertRow) == 1


async def test_the_same_observation_again_is_answered_alike_and_changes_nothing(
    services: Services, client_of: Client
) -> None:
    gateway = client_of("gateway")
    await gateway.post("/v1/frames", **frame_form())
    first = await gateway.post("/v1/observations", json=told())
    again = await gateway.post("/v1/observations", json=told())
    assert again.status_code == 200
    assert again.json() == first.json()
    assert await count(services, ObservationRow) == 1


async def test_many_at_once_open_one_incident_and_one_with_an_unknown_frame_spoils_nothing(
    services: Services, client_of: Client
) -> None:
    gateway = client_of("gateway")
    await gateway.post("/v1/frames", **frame_form())
    asked = [told(n) for n in range(20)]
    asked[7]["frame"] = frame_id(99)
    replies = await asyncio.gather(*(gateway.post("/v1/observations", json=one) for one in asked))
    assert [r.status_code for r in replies] == [404 if n == 7 else 201 for n in range(20)]
    assert await count(services, ObservationRow) == 19
    assert await count(services, IncidentRow) == 1


async def test_what_cannot_be_is_refused_before_it_is_kept(client_of: Client) -> None:
    gateway = client_of("gateway")
    await gateway.post("/v1/frames", **frame_form())
    for wrong in ({"id": "x" * 101}, {"confidence": 1.2}, {"lat_deg": 91}, {"hazard": "dragon"}):
        assert (await gateway.post("/v1/observations", json=told(**wrong))).status_code == 422
