"""The page in a real browser: signing in, what an operator and an agency see, both languages."""

import pyotp
from playwright.async_api import Browser, Page, Route, expect

from api import accounts
from api.services import Services
from api.store import accounts as store_accounts
from api.store.accounts import NewAccount
from api.store.tokens import Role
from tests.api.browsing import address, browser, needs_browser, signed_in, token_of
from tests.api.world import NOW

__all__ = ["address", "browser"]  # fixtures

pytestmark = needs_browser


async def test_a_wrong_token_is_answered_in_words(browser: Browser, address: str) -> None:
    """No code, no blank page: what is wrong and what to do."""
    page = await signed_in(browser, address, "gp_nonsense")
    await expect(page.get_by_role("alert")).to_have_text("This token is not known. Check it and try again.")


async def test_the_operator_sees_the_incident_and_who_was_told(
    browser: Browser, address: str, services: Services
) -> None:
    """From the list to the place, the temperature and the agencies told; then the same in Chinese."""
    page = await signed_in(browser, address, await token_of(services, Role.OPERATOR))
    await expect(page.get_by_role("tab")).to_have_count(6)
    await page.locator(".list button.row").first.click()
    await expect(page.locator("article h2")).to_have_text("suspected fire")
    await expect(page.locator("article .told strong").first).to_have_text("forestry")
    await page.get_by_role("button", name="中文").click()
    await expect(page.locator("article h2")).to_have_text("疑似火情")
    await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


async def test_an_agency_sees_its_alert_and_no_flights(
    browser: Browser, address: str, services: Services
) -> None:
    """A fire on forestry's ground: forestry acknowledges it, the village sees nothing of it."""
    page = await signed_in(browser, address, await token_of(services, Role.AGENCY, "forestry"))
    await expect(page.get_by_role("tab")).to_have_count(3)
    await page.locator(".list button.row").first.click()
    await page.get_by_role("button", name="Acknowledge").click()
    await expect(page.locator("article .told span").first).to_have_text("acknowledged")
    village = await signed_in(browser, address, await token_of(services, Role.AGENCY, "village"))
    await expect(village.locator(".list")).to_have_text("Nothing found so far.")


async def test_an_agency_makes_dispatches_and_resolves_an_order_while_the_operator_watches(
    browser: Browser, address: str, services: Services
) -> None:
    """From the incident to the look that is asked for; a refusal is a sentence, the agency alone acts."""
    page = await signed_in(browser, address, await token_of(services, Role.AGENCY, "forestry"))
    await page.locator(".list button.row").first.click()
    await page.get_by_role("button", name="Make a work order").click()
    await page.get_by_role("button", name="Dispatch").click()
    await page.get_by_label("Who goes there").fill("Team 3")
    await page.get_by_role("button", name="Confirm").click()
    state = page.locator(".order-state b")
    await expect(state).to_have_text("on the way")
    operator = await signed_in(browser, address, await token_of(services, Role.OPERATOR))
    await operator.get_by_role("tab", name="Orders").click()
    await operator.locator(".list button.row", has_text="Team 3").click()
    await expect(operator.locator(".hint")).to_be_visible()
    await expect(operator.locator("article .buttons button")).to_have_count(0)
    await page.get_by_role("button", name="We are there").click()
    await page.get_by_role("checkbox").first.check()  # at once: one change waits for the other
    await expect(page.locator(".check small")).to_contain_text("agency desk")
    await expect(operator.locator(".order-state b")).to_have_text("on site")
    await page.get_by_role("button", name="Resolved").click()
    await page.get_by_label("What it was").select_option("forest_fire")
    await page.get_by_role("button", name="Confirm").click()
    await expect(state).to_have_text("resolved")
    await expect(page.locator("dl")).to_contain_text("asked for")
    await page.get_by_role("button", name="Close").click()
    await page.get_by_role("button", name="Confirm").click()
    await expect(page.get_by_role("alert")).to_contain_text("its look has not been answered yet")
    await expect(state).to_have_text("resolved")


async def test_an_order_that_somebody_else_changed_first_is_shown_anew(
    browser: Browser, address: str, services: Services
) -> None:
    """A stale act changes nothing and says so in Chinese; the checklist is ticked from the page."""
    page = await signed_in(browser, address, await token_of(services, Role.AGENCY, "forestry"), "zh-CN")
    await page.locator(".list button.row").first.click()
    await page.get_by_role("button", name="建立工单").click()
    await page.get_by_role("checkbox").first.check()
    await expect(page.locator(".steps li")).to_have_count(2)
    await page.get_by_role("button", name="派出").click()
    await page.get_by_label("派往人员").fill("一队")
    await page.route("**/v1/orders/*/dispatch", _as_if_read_long_ago)
    await page.get_by_role("button", name="确定").click()
    await expect(page.get_by_role("alert")).to_contain_text("他人刚刚更改了此工单")
    await expect(page.locator(".order-state b")).to_have_text("新建")


async def _as_if_read_long_ago(route: Route) -> None:
    await route.continue_(headers={**route.request.headers, "if-match": '"1"'})


async def test_the_page_asks_no_other_machine(browser: Browser, address: str, services: Services) -> None:
    """Map, fonts, scripts: all from the service itself, and nothing that its policy forbids."""
    page = await (await browser.new_context()).new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(address)
    await page.locator("input").fill(await token_of(services, Role.OPERATOR))
    await page.locator("button.main").click()
    await expect(page.locator(".maplibregl-canvas")).to_be_visible()
    await page.locator(".marker, .dock").first.wait_for(state="attached")
    foreign = [url for url in asked if not url.startswith((address, "blob:", "data:"))]
    assert asked
    assert not foreign
    assert not [said for said in complaints if "Content Security Policy" in said]


async def person(services: Services, login: str, role: Role, agency: str | None = None) -> None:
    kept = accounts.hash_password("three red cranes over rice")
    async with services.database.write() as session:
        await store_accounts.add(session, NewAccount(login, login, role, agency, kept), now=NOW)


async def log_in(page: Page, login: str, password: str = "three red cranes over rice") -> None:
    await page.locator("input[autocomplete=username]").fill(login)
    await page.locator("input[type=password]").fill(password)
    await page.locator("button.main").click()


async def test_a_person_signs_in_with_a_password(browser: Browser, address: str, services: Services) -> None:
    await person(services, "wang", Role.AGENCY, "forestry")
    page = await (await browser.new_context(locale="zh-CN")).new_page()
    await page.goto(address)
    await log_in(page, "wang", "wrong wrong wrong")
    await expect(page.get_by_role("alert")).to_have_text(
        "账号、密码或动态码有误。连续五次失败后账号会暂时锁定。"
    )
    await log_in(page, "wang")
    await expect(page.get_by_role("tab")).to_have_count(4)  # a person may say how a place looks now


async def test_an_auditor_sets_up_a_second_factor_and_then_reads_the_trail(
    browser: Browser, address: str, services: Services
) -> None:
    await person(services, "zhao", Role.AUDITOR)
    page = await (await browser.new_context(locale="en-US")).new_page()
    await page.goto(address)
    await log_in(page, "zhao")
    secret = await page.locator("code").inner_text()
    await page.locator("input").fill(pyotp.TOTP(secret).now())
    await page.get_by_role("button", name="Confirm").click()
    recovery = (await page.locator(".codes").inner_text()).split()
    await page.locator("button.main").click()
    await log_in(page, "zhao")
    await page.locator("input[autocomplete=one-time-code]").fill(recovery[0])
    await page.locator("button.main").click()
    await expect(page.get_by_role("status")).to_contain_text("The trail holds")
    await expect(page.get_by_role("cell", name="account.second_factor")).to_be_visible()
