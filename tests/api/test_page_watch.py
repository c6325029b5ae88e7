"""What the page lets people do about how they watch: a camera that follows, how a place looked before."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, expect

from api.services import Services
from api.store.plans import save_plan
from api.store.tokens import Role
from tests.api.browsing import address, browser, needs_browser, signed_in, token_of
from tests.api.conftest import Outside
from tests.api.test_baselines import keep
from tests.api.test_sorties import hear, plan, told
from tests.api.world import BORDER, FOREST, NOW

__all__ = ["address", "browser"]  # fixtures

pytestmark = needs_browser


@pytest.fixture
async def services(services: Services, tmp_path: Path) -> Services:
    """The tiny world, which keeps how its places looked."""
    return replace(services, options=replace(services.options, baselines=tmp_path / "baselines"))


async def test_the_operator_lets_a_camera_follow_what_was_seen_and_look_ahead_again(
    browser: Browser, address: str, services: Services, outside: Outside
) -> None:
    """What is followed and until when is what the gateway told; where it refuses, its words are shown."""
    async with services.database.write() as session:
        await save_plan(session, plan(), services.site, now=NOW)
    token = await token_of(services, Role.OPERATOR)
    async with httpx.AsyncClient(base_url=address, headers={"Authorization": f"Bearer {token}"}) as client:
        assert (await client.post("/v1/sorties/P1-S1/launch")).status_code == 200
        (seen,) = (await client.get("/v1/incidents")).json()["incidents"]
    await hear(services, told("armed"))
    page = await signed_in(browser, address, token)
    await page.get_by_role("tab", name="Flights").click()
    await page.locator(".list button.row").first.click()
    await expect(page.get_by_role("button", name="Pause")).to_be_visible()
    await expect(page.get_by_role("button", name="Follow something")).to_have_count(0)  # not on the ground
    await hear(services, told("flying"))
    services.feed.wake()
    await page.get_by_role("button", name="Follow something").click()
    await page.get_by_label("For how long").select_option("60")
    outside.answer = {"accepted": False, "reason": "412 m off: up to 300 m are allowed"}
    await page.get_by_role("button", name="Confirm").click()
    await expect(page.get_by_role("alert")).to_contain_text("The gateway refused: 412 m off")
    outside.answer = {"accepted": True, "reason": None}
    await page.get_by_role("button", name="Confirm").click()
    await expect(page.locator("form.act")).to_have_count(0)
    asked = outside.commands[-1]
    assert (asked["action"], asked["seconds"], asked["mover"]["kind"]) == ("follow", 60.0, "fire")
    assert asked["mover"]["lat_deg"] == seen["lat_deg"]
    assert "seen_at" not in asked["mover"], "it is looked for where it was, as of now"
    follows = {"kind": "truck", "lat_deg": FOREST.lat_deg, "lon_deg": FOREST.lon_deg}
    times = {"seen_at": NOW.isoformat(), "until_at": (NOW + timedelta(seconds=60)).isoformat()}
    await hear(services, told("flying", 2, follows=follows | times))
    services.feed.wake()
    await expect(page.get_by_role("status").last).to_have_text("The camera follows lorry until 10:01:00")
    await page.get_by_role("button", name="中文").click()
    async with page.expect_response(lambda answer: answer.request.method == "POST"):
        await page.get_by_role("button", name="停止跟踪").click()
    await hear(services, told("flying", 3))
    services.feed.wake()
    await expect(page.get_by_role("button", name="跟踪目标")).to_be_visible()
    assert outside.commands[-1]["action"] == "unfollow"
    await page.get_by_role("tab", name="事件").click()
    await page.locator(".list button.row").first.click()
    await page.get_by_role("button", name="让相机跟踪").click()  # the same from the side of what was seen
    await page.get_by_role("button", name="确定").click()
    await expect(page.locator("form.act")).to_have_count(0)
    assert outside.commands[-1]["action"] == "follow"


async def test_a_person_confirms_how_a_place_looks_now_and_takes_it_back(
    browser: Browser, address: str, services: Services
) -> None:
    """The name stands beside it; a program's key without the right is not offered it."""
    root = services.options.baselines
    assert root is not None
    keep(root, "wood", "v0001", "stands", FOREST)
    keep(root, "wood", "v0002", "candidate", FOREST)
    keep(root, "field", "v0001", "stands", BORDER)
    page = await signed_in(browser, address, await token_of(services, Role.OPERATOR))
    await page.get_by_role("tab", name="Before").click()
    newer, older = (
        page.locator(".row", has_text="wood · v0002"),
        page.locator(".row", has_text="wood · v0001"),
    )
    await expect(page.locator(".list .row")).to_have_count(3)
    await newer.get_by_role("button", name="This is how it looks now").click()
    await page.get_by_label("Who says so").fill("Li Na")
    await page.get_by_role("button", name="Confirm").click()
    await expect(newer).to_contain_text("confirmed by Li Na")
    await expect(newer.locator(".state")).to_have_text("stands")
    await expect(older.locator(".state")).to_have_text("replaced by a later one")
    await page.get_by_role("button", name="中文").click()
    await older.get_by_role("button", name="恢复为现行").click()
    (root / "wood" / "v0001" / "orthophoto.tif").write_bytes(b"damaged")
    await page.get_by_role("button", name="确定").click()
    await expect(page.get_by_role("alert")).to_contain_text("没有找到")
    agency = await signed_in(browser, address, await token_of(services, Role.AGENCY, "forestry"))
    await expect(agency.get_by_role("tab")).to_have_count(3)
    await agency.locator(".list button.row").first.click()
    await expect(agency.get_by_role("button", name="Acknowledge")).to_be_visible()
    await expect(agency.get_by_role("button", name="Keep a camera on it")).to_have_count(0)
