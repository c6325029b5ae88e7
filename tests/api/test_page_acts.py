"""What people do on the page, from the button to the service: each act succeeds and is seen to have."""

from typing import Any

import httpx
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select, update

from api.services import Services
from api.store import orders
from api.store.models import DeliveryRow
from api.store.plans import save_plan
from api.store.tables.orders import OrderRow
from api.store.tables.witnesses import LookRequestRow
from api.store.tokens import Role
from tests.api.browsing import address, browser, needs_browser, signed_in, token_of
from tests.api.conftest import Outside
from tests.api.test_sorties import hear, plan, told
from tests.api.world import BORDER, NOW, fire, report

__all__ = ["address", "browser"]  # fixtures

pytestmark = needs_browser


async def forestry(browser: Browser, address: str, services: Services, language: str = "en-US") -> Page:
    return await signed_in(browser, address, await token_of(services, Role.AGENCY, "forestry"), language)


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()


async def a_clean_look(services: Services) -> None:
    """A drone has looked and seen nothing any more; the orders hear of it as the coordinator lets them."""
    async with services.database.write() as session:
        await session.execute(update(LookRequestRow).values(state="done", outcome="clean", decided_at=NOW))
        assert await orders.settle_looks(session, now=NOW, watch=services.options.watch)
    services.feed.wake()


async def test_an_order_is_closed_rated_and_opened_again(
    browser: Browser, address: str, services: Services
) -> None:
    page = await forestry(browser, address, services)
    await page.locator(".list button.row").first.click()
    await press(page, "Make a work order")
    await press(page, "Change the times")
    await page.get_by_label("Resolved by").fill("2026-06-01T18:30")
    await press(page, "Confirm")
    await expect(page.locator("dl")).to_contain_text("Jun 1, 18:30")
    await press(page, "Dispatch")
    await page.get_by_label("Who goes there").fill("Team 3")
    await press(page, "Confirm")
    await press(page, "We are there")
    await press(page, "Resolved")
    await page.get_by_label("What it was").select_option("forest_fire")
    await press(page, "Confirm")
    state = page.locator(".order-state b")
    await expect(state).to_have_text("resolved")
    await a_clean_look(services)
    await expect(state).to_have_text("seen to be over")
    await press(page, "Close")
    await press(page, "Confirm")
    await expect(state).to_have_text("closed")
    await press(page, "Rate")
    await page.get_by_label("Rating").select_option("4")
    await press(page, "Confirm")
    await expect(state).to_have_text("closed and rated")
    await expect(page.locator("dl")).to_contain_text("4 / 5")
    await press(page, "Open again")
    await page.get_by_label("Reason").fill("smoke again")
    await press(page, "Confirm")
    await expect(state).to_have_text("open again")
    await expect(page.locator(".steps")).to_contain_text("smoke again")


async def test_an_alert_is_put_aside_with_an_end_released_by_name_and_silenced(
    browser: Browser, address: str, services: Services
) -> None:
    page = await forestry(browser, address, services)
    await page.locator(".list button.row").first.click()
    told_of = page.locator(".told")
    await press(page, "Put aside")
    await page.get_by_label("For how long").select_option("4")
    await press(page, "Confirm")
    await expect(told_of).to_contain_text("put aside until Jun 1, 14:00")
    await press(page, "Take back")
    await expect(told_of).not_to_contain_text("put aside until")
    await press(page, "Release to the public")
    await page.get_by_label("In whose name").fill("Li Wei")
    await press(page, "Confirm")
    await expect(page.locator(".public")).to_have_text("Public, released by Li Wei")
    async with httpx.AsyncClient(base_url=address) as public:
        assert len((await public.get("/v1/public/incidents")).json()["incidents"]) == 1
        await press(page, "Take the release back")
        await press(page, "Confirm")
        await expect(page.locator(".public")).to_have_count(0)
        assert (await public.get("/v1/public/incidents")).json()["incidents"] == []
    await press(page, "Be silent about this place")
    await page.get_by_label("Reason").fill("brick kiln")
    await press(page, "Confirm")
    await expect(page.locator("form.act")).to_have_count(0)
    await page.get_by_role("tab", name="Told").click()
    mute = page.locator(".row", has_text="brick kiln")
    await expect(mute).to_contain_text("agency desk · until Jun 1, 11:00 · within 100 m")
    await mute.get_by_role("button", name="End now").click()
    await expect(mute).to_have_count(0)


async def test_a_dead_letter_is_sent_again_from_the_log(
    browser: Browser, address: str, services: Services
) -> None:
    """In Chinese: what was given up says why, and goes out again when somebody asks for it."""
    token = await token_of(services, Role.AGENCY, "forestry")
    async with httpx.AsyncClient(base_url=address, headers={"Authorization": f"Bearer {token}"}) as client:
        url = {"url": "http://127.0.0.1:9/hook"}
        assert (await client.put("/v1/agencies/forestry/webhook", json=url)).status_code == 200
    await report(services, 7, fire(7, BORDER, area_m2=20.0))
    failed = {"state": "failed", "attempts": 9, "last_error": "connection refused"}
    async with services.database.write() as session:
        await session.execute(update(DeliveryRow).values(**failed))
    page = await forestry(browser, address, services, "zh-CN")
    await page.get_by_role("tab", name="通知").click()
    await page.get_by_role("button", name="失败").click()
    row = page.locator(".row", has_text="connection refused")
    await row.get_by_role("button", name="重新发送").click()
    await expect(row).to_have_count(0)
    async with services.database.read() as session:
        assert set(await session.scalars(select(DeliveryRow.state))) == {"pending"}


async def test_the_lead_is_handed_on_to_another_agency_that_works_there(
    browser: Browser, address: str, services: Services
) -> None:
    recorded = await report(services, 7, fire(7, BORDER, area_m2=20.0))
    path = f"/v1/incidents/{recorded.incidents[0]}/orders"
    for agency in ("forestry", "village"):
        headers = {"Authorization": f"Bearer {await token_of(services, Role.AGENCY, agency)}"}
        async with httpx.AsyncClient(base_url=address, headers=headers) as client:
            assert (await client.post(path, json={})).status_code == 201
    page = await forestry(browser, address, services)
    await page.get_by_role("tab", name="Orders").click()
    await page.locator(".list button.row", has_text="forestry").click()
    await expect(page.locator("dl dd").nth(1)).to_have_text("forestry")
    await press(page, "Hand on the lead")
    await press(page, "Confirm")
    await expect(page.locator("dl dd").nth(1)).to_have_text("village")
    await expect(page.get_by_role("button", name="Hand on the lead")).to_have_count(0)


async def test_the_operator_lands_a_drone_elsewhere_or_at_once_and_flies_the_rest(
    browser: Browser, address: str, services: Services, outside: Outside
) -> None:
    async with services.database.write() as session:
        await save_plan(session, plan(), services.site, now=NOW)
    token = await token_of(services, Role.OPERATOR)
    async with httpx.AsyncClient(base_url=address, headers={"Authorization": f"Bearer {token}"}) as client:
        assert (await client.post("/v1/sorties/P1-S1/launch")).status_code == 200
    await hear(services, told("flying"))
    page = await signed_in(browser, address, token)
    await page.get_by_role("tab", name="Flights").click()
    await page.locator(".list button.row").first.click()
    await press(page, "Come down now")
    await page.get_by_label("Reason").fill("a helicopter")
    await press(page, "Confirm")
    await expect(page.locator("form.act")).to_have_count(0)
    outside.answer = {"accepted": False, "reason": "it is on the ground"}
    await press(page, "Pause")
    await expect(page.get_by_role("alert")).to_contain_text("it is on the ground")
    outside.answer = {"accepted": True, "reason": None}
    await hear(services, told("failed"))
    services.feed.wake()
    await press(page, "Fly the rest")
    await expect(page.get_by_role("button", name="Fly the rest")).to_be_enabled()
    sent: list[Any] = [order["action"] for order in outside.commands]
    assert sent == ["fly", "abort", "pause", "resume_from"]


async def test_known_heat_is_masked_from_its_closed_order_and_told_of_again(
    browser: Browser, address: str, services: Services
) -> None:
    page = await forestry(browser, address, services, "zh-CN")
    await page.locator(".list button.row").first.click()
    await press(page, "建立工单")
    await expect(page.locator(".order-state b")).to_be_visible()
    await expect(page.get_by_role("button", name="屏蔽此处")).to_have_count(0)
    async with services.database.write() as session:
        await session.execute(update(OrderRow).values(state="closed", verdict="industrial_heat", version=2))
    await page.reload()
    await page.get_by_role("tab", name="工单").click()
    await page.locator(".list button.row", has_text="已结案").click()
    await press(page, "屏蔽此处")
    await page.get_by_label("热源名称").fill("和平砖窑")
    await page.get_by_label("时长").select_option("8760")
    await press(page, "确定")
    await expect(page.locator("form.act")).to_have_count(0)
    await page.get_by_role("tab", name="通知").click()
    mask = page.locator(".row", has_text="和平砖窑")
    await expect(mask).to_contain_text("范围 60 m")
    await mask.get_by_role("button", name="立即结束").click()
    await expect(mask).to_have_count(0)
