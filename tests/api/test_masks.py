"""Known heat: after a verdict its ground is masked, with an owner and an end, and told of again after it."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
import tifffile
from sqlalchemy import update

from api import audit
from api.services import Services
from api.store import orders
from api.store.models import IncidentRow
from api.store.tables.orders import OrderRow
from missions.clock import FakeClock
from missions.model import Hazard
from missions.program import main
from tests.api.world import BORDER, fire, report
from vision.calibration import labels

Client = Callable[[str | None], httpx.AsyncClient]

KILN = {"name": "brick kiln", "radius_m": 60, "ends_at": "2026-06-20T00:00:00Z"}


async def closed(services: Services, client_of: Client, verdict: str) -> str:
    """Forestry's order on the border, closed with a verdict."""
    recorded = await report(services, 1, fire(1, BORDER, area_m2=20.0))
    made = await client_of("forestry").post(f"/v1/incidents/{recorded.incidents[0]}/orders", json={})
    async with services.database.write() as session:
        row = await session.get_one(OrderRow, made.json()["id"])
        row.state, row.verdict = "closed", verdict
    return str(made.json()["id"])


async def told(services: Services, client_of: Client, number: int, who: str = "forestry") -> int:
    """How many alerts an agency has after one more fire is seen there."""
    await report(services, number, fire(number, BORDER, area_m2=20.0))
    return len((await client_of(who).get("/v1/alerts")).json()["alerts"])


async def close_incidents(services: Services) -> None:
    """Everything that burned is over, so what is seen there next is another incident."""
    async with services.database.write() as session:
        await session.execute(update(IncidentRow).values(state="closed"))


async def test_masked_ground_is_silent_to_its_agency_alone_and_speaks_again_when_the_mask_ends(
    services: Services, client_of: Client, clock: FakeClock
) -> None:
    order = await closed(services, client_of, "industrial_heat")
    forestry = client_of("forestry")
    made = await forestry.post(f"/v1/orders/{order}/mask", json=KILN)
    assert (made.status_code, made.json()["owner"]) == (201, "forestry desk")
    await close_incidents(services)
    assert await told(services, client_of, 2) == 1
    assert await told(services, client_of, 2, "village") == 2, "the mask is forestry's"
    (mask,) = (await forestry.get("/v1/masks")).json()["masks"]
    assert (mask["name"], mask["until_at"]) == ("brick kiln", "2026-06-20T00:00:00Z")
    assert (await client_of("village").get("/v1/masks")).json() == {"masks": []}
    assert (await client_of("village").delete(f"/v1/masks/{mask['id']}")).status_code == 404
    assert (await forestry.delete(f"/v1/masks/{mask['id']}")).status_code == 200
    assert (await forestry.get("/v1/masks")).json() == {"masks": []}
    await close_incidents(services)
    clock.advance(1)
    assert await told(services, client_of, 3) == 2
    async with services.database.read() as session:
        assert {"mask.set", "mask.end"} <= {entry.action for entry in await audit.page(session)}


async def test_a_mask_ends_by_itself(services: Services, client_of: Client, clock: FakeClock) -> None:
    order = await closed(services, client_of, "permitted")
    await client_of("forestry").post(f"/v1/orders/{order}/mask", json=KILN)
    clock.advance(20 * 86_400)
    assert (await client_of("forestry").get("/v1/masks")).json() == {"masks": []}


@pytest.mark.parametrize(
    ("verdict", "ends_at", "status"),
    [
        ("forest_fire", "2026-06-20T00:00:00Z", 409),
        ("false", "2026-06-20T00:00:00Z", 409),
        ("permitted", "2026-07-20T00:00:00Z", 422),
        ("industrial_heat", "2026-07-20T00:00:00Z", 201),
        ("industrial_heat", "2027-07-20T00:00:00Z", 422),
        ("industrial_heat", "2026-05-20T00:00:00Z", 422),
    ],
)
async def test_only_known_heat_is_masked_and_not_for_ever(
    services: Services, client_of: Client, verdict: str, ends_at: str, status: int
) -> None:
    order = await closed(services, client_of, verdict)
    wish = {**KILN, "ends_at": ends_at}
    assert (await client_of("forestry").post(f"/v1/orders/{order}/mask", json=wish)).status_code == status
    assert (await client_of("village").post(f"/v1/orders/{order}/mask", json=wish)).status_code == 404


async def test_an_order_that_is_still_open_masks_nothing(services: Services, client_of: Client) -> None:
    order = await closed(services, client_of, "permitted")
    async with services.database.write() as session:
        (await orders.order(session, order)).state = "resolved"
    reply = await client_of("forestry").post(f"/v1/orders/{order}/mask", json=KILN)
    assert (reply.status_code, reply.json()["allowed"]) == (409, [])


async def test_a_verdict_goes_where_thresholds_and_masks_are_learnt(
    services: Services, client_of: Client, tmp_path: Path
) -> None:
    """The table is read by the very reader of `gridpatrol calibrate`."""
    order = await closed(services, client_of, "industrial_heat")
    await client_of("forestry").post(f"/v1/orders/{order}/mask", json=KILN)
    text = (await client_of("forestry").get("/v1/verdicts.csv")).text
    (tmp_path / "labels.csv").write_text(text, "utf-8")
    (label,) = labels.read(tmp_path)
    assert (label.verdict, label.hazard, label.score) == (labels.Verdict.INDUSTRIAL_HEAT, Hazard.FIRE, 0.9)
    assert (label.owner, label.expires_at) == ("brick kiln", datetime(2026, 6, 20, tzinfo=UTC))
    assert label.place == BORDER
    assert "D1 thermal" in text, "the tiny world's site names no cameras"
    assert (await client_of("operator").get("/v1/verdicts.csv")).text == text
    assert order not in (await client_of("village").get("/v1/verdicts.csv")).text
    assert len((await client_of("village").get("/v1/verdicts.csv")).text.splitlines()) == 1


async def test_a_verdict_brings_its_crop_to_where_it_is_learnt(
    services: Services, client_of: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A picture is cut where the fire is; `gridpatrol calibrate` reads the package as it comes."""
    hot = np.full((64, 80), 20, np.float32)
    hot[10:20, 10:20] = 400.0
    tifffile.imwrite(tmp_path / "hot.tif", hot)
    await services.pictures.put("frames/1.tif", (tmp_path / "hot.tif").read_bytes())
    await closed(services, client_of, "false")
    packed = tmp_path / "verdicts.zip"
    packed.write_bytes((await client_of("forestry").get("/v1/verdicts.zip")).content)
    (label,) = labels.read(packed)
    assert label.verdict is labels.Verdict.FALSE
    with zipfile.ZipFile(packed) as made:
        crop = cv2.imdecode(np.frombuffer(made.read(label.crop), np.uint8), cv2.IMREAD_COLOR)
    assert crop is not None
    assert crop.max() > 200 > 20 > crop[0, 0].max(), "the fire is the brightest of it"
    into = tmp_path / "calibration"
    assert main(["calibrate", str(packed), "--into", str(into), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["labels"] == 1
    empty = await client_of("village").get("/v1/verdicts.zip")
    with zipfile.ZipFile(io.BytesIO(empty.content)) as made:
        assert made.namelist() == ["labels.csv"]


async def test_a_fire_much_larger_than_the_known_source_is_told_though_the_ground_is_masked(
    services: Services, client_of: Client
) -> None:
    order = await closed(services, client_of, "industrial_heat")
    await client_of("forestry").post(f"/v1/orders/{order}/mask", json=KILN)
    await close_incidents(services)
    await report(services, 2, fire(2, BORDER, area_m2=55.0))
    assert len((await client_of("forestry").get("/v1/alerts")).json()["alerts"]) == 1
    await report(services, 3, fire(3, BORDER, area_m2=65.0))
    assert len((await client_of("forestry").get("/v1/alerts")).json()["alerts"]) == 2
