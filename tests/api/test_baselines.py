"""Stored baselines: listed by STAC, given to whom their ground belongs, and coarse where they show people."""

import io
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import rasterio
from affine import Affine

from api import audit
from api.app import create_app
from api.privacy import COARSE_M
from api.services import Services
from api.store import tokens
from api.store.tokens import Role
from missions.geo import LatLon
from tests.api.world import BORDER, FOREST, NOW
from vision.baselines.store import Version, write_cog
from vision.chart import Grid

PIXEL_DEG = 1e-6
"""Some 0.1 m."""

Caller = Callable[[str], httpx.AsyncClient]


def keep(root: Path, place: str, version: str, standing: str, middle: LatLon) -> None:
    """Keep a version of 20 m of ground as the analyst's store does."""
    folder = root / place / version
    folder.mkdir(parents=True)
    corner = Affine.translation(middle.lon_deg - 100 * PIXEL_DEG, middle.lat_deg + 100 * PIXEL_DEG)
    grid = Grid("EPSG:4326", corner * Affine.scale(PIXEL_DEG, -PIXEL_DEG), 200, 200)
    known = np.ones(grid.shape, bool)
    colours = np.random.default_rng(3).integers(0, 255, (200, 200, 3), np.uint8)
    write_cog(folder / "orthophoto.tif", colours, known, grid)
    write_cog(folder / "water.tif", np.zeros((200, 200, 1), np.uint8), known, grid)
    facts = Version(place, version, NOW.isoformat(), NOW.isoformat(), 12, 11, standing)
    (folder / "baseline.json").write_text(json.dumps(asdict(facts)), "utf-8")


@pytest.fixture
async def asked(services: Services, tmp_path: Path) -> Caller:
    """Clients of a service with three stored baselines: two of the forest, one across the border."""
    root = tmp_path / "baselines"
    keep(root, "wood", "v0001", "superseded", FOREST)
    keep(root, "wood", "v0002", "stands", FOREST)
    keep(root, "border", "v0001", "stands", BORDER)
    built = replace(services, options=replace(services.options, baselines=root))
    issued: dict[str, str] = {}
    async with services.database.write() as session:
        for name, role, agency in (
            ("operator", Role.OPERATOR, None),
            ("forestry", Role.AGENCY, "forestry"),
            ("village", Role.AGENCY, "village"),
        ):
            issued[name] = await tokens.issue(session, role=role, name=name, now=NOW, agency=agency)
        scopes = ["frames:read", "baselines:read", "unblurred:read"]
        issued["investigator"] = await tokens.issue(
            session, role=Role.AGENCY, name="investigator", now=NOW, agency="forestry", scopes=scopes
        )
    transport = httpx.ASGITransport(create_app(built), raise_app_exceptions=False)

    def client(name: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {issued[name]}"}
        return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)

    return client


async def found(client: httpx.AsyncClient, **query: Any) -> list[str]:
    answer = await client.get("/stac/search", params={"collections": "baselines", **query})
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["features"]]


async def test_the_operator_finds_every_version_by_place_standing_and_time(asked: Caller) -> None:
    operator = asked("operator")
    assert await found(operator) == ["wood-v0002", "wood-v0001", "border-v0001"]
    assert await found(operator, filter="\"gridpatrol:standing\" = 'superseded'") == ["wood-v0001"]
    assert await found(operator, ids="border-v0001") == ["border-v0001"]
    assert (
        await operator.get("/stac/search", params={"datetime": "0001-01-01T00:00:00+14:00/.."})
    ).status_code == 400
    assert await found(operator, datetime="2020-01-01T00:00:00Z/2021-01-01T00:00:00Z") == []
    here = f"{FOREST.lon_deg},{FOREST.lat_deg},{FOREST.lon_deg + 1e-5},{FOREST.lat_deg + 1e-5}"
    assert await found(operator, bbox=here) == ["wood-v0002", "wood-v0001"]
    item = (await operator.get("/stac/collections/baselines/items/wood-v0002")).json()
    assert item["properties"]["gridpatrol:registered"] == 11
    assert set(item["assets"]) == {"orthophoto", "water"}


async def test_an_agency_sees_the_baselines_that_lie_wholly_on_its_ground(asked: Caller) -> None:
    assert await found(asked("forestry")) == ["wood-v0002", "wood-v0001"]
    assert await found(asked("village")) == []
    items = "/stac/collections/baselines/items"
    assert (await asked("forestry").get(f"{items}/border-v0001")).status_code == 404
    assert (await asked("village").get("/v1/baselines/wood/v0002/water.tif")).status_code == 404
    assert (await asked("operator").get("/v1/baselines/wood/v0009/water.tif")).status_code == 404


async def test_an_agencys_orthophoto_is_coarse_and_the_whole_one_is_audited(
    services: Services, asked: Caller
) -> None:
    path = "/v1/baselines/wood/v0002/orthophoto.tif"
    whole = await asked("operator").get(path)
    with rasterio.open(io.BytesIO(whole.content)) as raster:
        fine, ground = raster.read(), raster.bounds
    with rasterio.open(io.BytesIO((await asked("forestry").get(path)).content)) as raster:
        pixel_m = (raster.bounds.top - raster.bounds.bottom) / raster.height * 110_870
        assert pixel_m >= COARSE_M
        assert raster.bounds == pytest.approx(ground)
        assert raster.read().std() < fine.std() / 2
    assert (await asked("forestry").get(path, params={"as_flown": True})).status_code == 403
    answer = await asked("investigator").get(path, params={"as_flown": True})
    assert answer.content == whole.content
    async with services.database.read() as session:
        entry = (await audit.page(session))[0]
    assert (entry.action, entry.actor, entry.target) == ("baseline.unblur", "investigator", "wood-v0002")
