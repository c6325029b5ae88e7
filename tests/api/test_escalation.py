"""Who is called next, and that timers fire once, in time, and never after an acknowledgement."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select

from api.escalation import Patience, begins_at, ladder
from api.roles.timekeeping import Timekeeper
from api.services import Services
from api.store import beats
from api.store.beats import Heard
from api.store.models import DeliveryRow, EventRow
from api.store.tables.orders import AlertStepRow, TimerRow
from missions.clock import FakeClock
from missions.duty import Channel, Duty, Member, Shift, on_call, quiet_until
from missions.model import Agency, Severity, Site
from tests.api.world import FOREST, NOW, fire, report

Client = Callable[[str | None], httpx.AsyncClient]

OFFICER = frozenset({Duty.OFFICER})
ANN = Member("ann", "Ann", OFFICER, (Channel("sms", "+1"), Channel("voice", "+1")))
BO = Member("bo", "Bo", OFFICER, (Channel("mail", "bo@forestry.example"),))
EVERY_DAY = frozenset(range(7))


def staffed(site: Site) -> Site:
    """The tiny world, with two people at forestry who are on call."""
    shifts = (Shift(EVERY_DAY, 0.0, 0.0, ("ann", "bo")),)
    agencies = [
        replace(agency, members=(ANN, BO), shifts=shifts) if agency.id == "forestry" else agency
        for agency in site.agencies
    ]
    return replace(site, agencies=tuple(agencies))


@pytest.fixture
def services(services: Services) -> Services:
    return replace(services, site=staffed(services.site))


def forestry(site: Site, **changes: object) -> Agency:
    return replace(staffed(site).agency("forestry"), **changes)  # type: ignore[arg-type]


def test_the_ladder_goes_through_channels_then_people_then_to_the_operator(site: Site) -> None:
    rungs = ladder(forestry(site), NOW, site.timezone, Patience(), desk_steps=[1])
    said = [
        (r.after_s, r.member.id if r.member else None, r.channel.kind if r.channel else None, r.is_operator)
        for r in rungs
    ]
    assert said == [
        (0.0, "ann", "sms", False),
        (120.0, None, None, False),
        (120.0, "ann", "voice", False),
        (300.0, "bo", "mail", False),
        (600.0, None, None, True),
    ]


def test_quiet_hours_hold_back_all_but_red(site: Site) -> None:
    quiet = forestry(site, quiet_hours=(22 * 3600.0, 6 * 3600.0))
    at_night = datetime(2026, 6, 1, 16, 30, tzinfo=UTC)  # half past midnight in Shanghai
    assert begins_at(quiet, Severity.RED, at_night, site.timezone) == at_night
    held = begins_at(quiet, Severity.ORANGE, at_night, site.timezone)
    assert held == datetime(2026, 6, 1, 22, 0, tzinfo=UTC)
    by_day = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
    assert begins_at(quiet, Severity.ORANGE, by_day, site.timezone) == by_day


@pytest.mark.parametrize(
    ("hour", "day", "expected"),
    [(21, 1, ()), (22, 1, ("ann",)), (5, 2, ("ann",)), (6, 2, ()), (23, 2, ())],
)
def test_a_shift_over_midnight_belongs_to_the_day_it_begins(
    hour: int, day: int, expected: tuple[str, ...]
) -> None:
    monday_night = Shift(frozenset({0}), 22 * 3600.0, 6 * 3600.0, ("ann",))
    assert on_call([monday_night], datetime(2026, 6, day, hour, 30, tzinfo=UTC)) == expected


def test_quiet_hours_within_one_day_end_the_same_day() -> None:
    noon = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)
    assert quiet_until((12 * 3600.0, 14 * 3600.0), noon) == datetime(2026, 6, 1, 14, 0, tzinfo=UTC)
    assert quiet_until((13 * 3600.0, 14 * 3600.0), noon) is None
    assert quiet_until(None, noon) is None


async def calls(services: Services) -> list[str | None]:
    async with services.database.read() as session:
        query = select(AlertStepRow.note).where(AlertStepRow.act == "call").order_by(AlertStepRow.seq)
        return list(await session.scalars(query))


async def test_while_nobody_acknowledges_one_after_the_other_is_called(
    services: Services, clock: FakeClock
) -> None:
    keeper, other = Timekeeper(services, "a"), Timekeeper(services, "b")
    await report(services, 1, fire(1, FOREST))
    expected = ["Ann by sms", "Ann by voice", "Bo by mail", "nobody answers: the operator is told"]
    for seconds, many in ((0, 1), (119, 1), (1, 2), (179, 2), (1, 3), (300, 4), (3600, 4)):
        clock.advance(seconds)
        await keeper.fire()
        await other.fire()
        assert await calls(services) == expected[:many]
    async with services.database.read() as session:
        sent = (await session.scalars(select(DeliveryRow.channel).order_by(DeliveryRow.seq))).all()
        told = (await session.scalars(select(EventRow).where(EventRow.kind == "escalation"))).all()
    assert sent == ["sms", "voice", "mail"]
    assert [event.data["agency"] for event in told] == ["forestry"]


async def test_nobody_is_called_after_an_acknowledgement_and_news_begins_anew(
    services: Services, clock: FakeClock, client_of: Client
) -> None:
    keeper = Timekeeper(services, "a")
    await report(services, 1, fire(1, FOREST))
    await keeper.fire()
    (alert,) = (await client_of("forestry").get("/v1/alerts")).json()["alerts"]
    acknowledged = await client_of("forestry").post(f"/v1/alerts/{alert['id']}/acknowledge")
    assert acknowledged.json()["state"] == "acknowledged"
    clock.advance(3600)
    await keeper.fire()
    assert await calls(services) == ["Ann by sms"]
    await report(services, 2, fire(2, FOREST, area_m2=60.0))
    await keeper.fire()
    assert await calls(services) == ["Ann by sms", "Ann by sms"]


async def test_what_was_due_while_nobody_lived_is_called_when_somebody_does(
    services: Services, clock: FakeClock
) -> None:
    await report(services, 1, fire(1, FOREST))
    clock.advance(301)
    await Timekeeper(services, "reborn").fire()
    assert await calls(services) == ["Ann by sms", "Ann by voice", "Bo by mail"]
    async with services.database.read() as session:
        waiting = select(TimerRow).where(TimerRow.fired_at.is_(None), TimerRow.cancelled_at.is_(None))
        (next_one,) = (await session.scalars(waiting)).all()
    assert next_one.due_at == NOW + timedelta(seconds=600)


async def test_a_timer_of_an_agency_that_was_taken_out_of_the_site_stops_nobody(
    services: Services, clock: FakeClock
) -> None:
    await report(services, 1, fire(1, FOREST))
    without = replace(services.site, agencies=tuple(a for a in services.site.agencies if a.id != "forestry"))
    clock.advance(3600)
    assert await Timekeeper(replace(services, site=without), "a").fire() == 1
    assert await calls(services) == []


async def test_a_shelved_alert_comes_back_and_calls_again(
    services: Services, clock: FakeClock, client_of: Client
) -> None:
    keeper, client = Timekeeper(services, "a"), client_of("forestry")
    await report(services, 1, fire(1, FOREST))
    (alert,) = (await client.get("/v1/alerts")).json()["alerts"]
    path = f"/v1/alerts/{alert['id']}"
    until = (NOW + timedelta(hours=1)).isoformat()
    assert (await client.post(f"{path}/shelve", json={"until_at": until})).json()["state"] == "shelved"
    late = (NOW + timedelta(hours=25)).isoformat()
    assert (await client.post(f"{path}/shelve", json={"until_at": late})).status_code == 422
    clock.advance(3601)
    await keeper.fire()
    await keeper.fire()
    assert (await client.get(path)).json()["state"] == "updated"
    assert await calls(services) == ["Ann by sms"]


async def test_a_cancelled_alert_refuses_what_no_longer_is_and_names_nothing(
    services: Services, client_of: Client
) -> None:
    client = client_of("forestry")
    await report(services, 1, fire(1, FOREST))
    (alert,) = (await client.get("/v1/alerts")).json()["alerts"]
    path = f"/v1/alerts/{alert['id']}"
    etag = (await client.get(path)).headers["ETag"]
    assert (await client.post(f"{path}/cancel", json={})).status_code == 422
    assert (await client.post(f"{path}/cancel", json={"note": "a kiln"})).json()["state"] == "cancelled"
    refused = await client.post(f"{path}/acknowledge")
    assert (refused.status_code, refused.json()["allowed"]) == (409, [])
    assert (await client.post(f"{path}/acknowledge", headers={"If-Match": etag})).status_code == 412
    history = (await client.get(f"{path}/history")).json()
    assert [step["act"] for step in history["steps"]] == ["first", "cancel"]


async def test_who_goes_silent_is_an_alarm_until_heard_again(
    services: Services, clock: FakeClock, client_of: Client
) -> None:
    keeper = Timekeeper(services, "api")
    await keeper.tidy()
    async with services.database.write() as session:
        await beats.beat(session, Heard("worker", "coordinator", clock.now(), 30.0))
    clock.advance(31)
    await keeper.tidy()
    alarms = (await client_of("operator").get("/v1/alarms")).json()["alarms"]
    assert [(a["name"], a["silent_since"] is not None) for a in alarms] == [
        ("coordinator", True),
        ("api", False),
    ]
    async with services.database.write() as session:
        await beats.beat(session, Heard("worker", "coordinator", clock.now(), 30.0))
    clock.advance(5)
    await keeper.tidy()
    async with services.database.read() as session:
        told = (await session.scalars(select(EventRow).where(EventRow.kind == "alarm"))).all()
    assert [event.data["state"] for event in told] == ["silent", "heard"]


async def test_tidying_writes_nothing_where_there_is_no_news(services: Services, clock: FakeClock) -> None:
    """A round in which nothing happened takes the write lock from nobody."""
    keeper = Timekeeper(services, "api")
    await keeper.tidy()
    clock.advance(1)
    async with services.database.write(), asyncio.timeout(5):
        await keeper.tidy()


async def test_a_beat_is_written_down_when_it_is_a_tenth_of_the_patience_later(
    services: Services, clock: FakeClock
) -> None:
    keeper, patience = Timekeeper(services, "api"), services.options.silence
    await keeper.tidy()
    async with services.database.read() as session:
        for later_s, is_news in ((2.9, False), (3.0, True)):
            now = clock.now() + timedelta(seconds=later_s)
            own = Heard("worker", "api", now, patience.worker_s)
            assert bool(await beats.news(session, own, patience, now=now)) is is_news
