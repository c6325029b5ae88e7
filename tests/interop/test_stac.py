"""pystac-client searches /stac as any STAC browser would."""

import asyncio
from typing import Any

import pytest
from pystac_client import Client
from sqlalchemy import update

from api.services import Services
from api.store.models import FrameRow
from tests.api.world import frame_id, report
from tests.interop.serving import Served, serving

SQUARE = [[119.4145, 30.2795], [119.4155, 30.2795], [119.4155, 30.2805], [119.4145, 30.2805]]


async def prepare(services: Services) -> None:
    """Say where the forest's frame was taken, and add two clear pictures of one other place."""
    for number in (3, 4):
        await report(services, number)
    async with services.database.write() as session:
        await session.execute(update(FrameRow).where(FrameRow.id == frame_id(1)).values(footprint=SQUARE))
        clear = [[lon + 0.01, lat] for lon, lat in SQUARE]
        mine = update(FrameRow).where(FrameRow.id.in_([frame_id(3), frame_id(4)]))
        await session.execute(mine.values(footprint=clear))


def search(served: Served, who: str, **asked: Any) -> list[Any]:
    client = Client.open(f"{served.address}/stac", headers=served.header(who))
    return list(client.search(**asked).items())


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_pystac_client_finds_frames_by_place_time_and_filter(services: Services, method: str) -> None:
    async with serving(services) as served:
        await prepare(services)

        async def found(**asked: Any) -> list[str]:
            items = await asyncio.to_thread(search, served, "operator", method=method, **asked)
            return sorted(item.id for item in items)

        everything = sorted(frame_id(n) for n in (1, 2, 3, 4))
        assert await found(collections=["frames"]) == everything
        assert await found(collections=["frames"], limit=1) == everything, "page by page"
        assert await found(collections=["frames"], bbox=[119.414, 30.279, 119.416, 30.281]) == [frame_id(1)]
        assert await found(collections=["frames"], datetime="2025-01-01/2025-12-31") == []
        assert await found(ids=[frame_id(2)], collections=["frames"]) == [frame_id(2)]
        filtered = await found(
            collections=["frames"],
            filter={"op": "=", "args": [{"property": "gridpatrol:shot"}, 2]},
            filter_lang="cql2-json",
        )
        assert filtered == [frame_id(2)]


async def test_a_baseline_is_the_latest_clear_picture_of_a_place(services: Services) -> None:
    async with serving(services) as served:
        await prepare(services)
        items = await asyncio.to_thread(search, served, "operator", collections=["baselines"])
        assert len(items) == 1
        assert items[0].id in (frame_id(3), frame_id(4))
        assert items[0].properties["gridpatrol:hazards"] == []


async def test_an_agency_finds_the_pictures_of_its_incidents_and_no_others(services: Services) -> None:
    async with serving(services) as served:
        await prepare(services)
        items = await asyncio.to_thread(search, served, "forestry")
        assert [item.id for item in items] == [frame_id(1)]
        (item,) = items
        assert item.assets["picture"].extra_fields["file:checksum"].startswith("1220")
        assert item.properties["gridpatrol:hazards"] == ["fire"]
