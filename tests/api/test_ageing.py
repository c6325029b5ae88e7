"""What time does to incidents, and how their spread is told."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from api.analysis import Analysis
from api.schemas import FrameIn
from api.services import Services
from api.store import frames
from api.store.absorbing import record_observations
from api.store.ageing import age_incidents
from api.store.live import LiveIncidents
from api.store.models import AlertRow, IncidentRow
from missions.clock import FakeClock
from missions.geo import moved
from missions.model import Hazard
from tests.api.conftest import Caller
from tests.api.world import FOREST, NOW, fire, frame_id, frame_meta, report


async def state_of(services: Services, incident_id: str) -> str:
    async with services.database.read() as session:
        return (await session.get_one(IncidentRow, incident_id)).state


async def age(services: Services, live: LiveIncidents) -> tuple[str, ...]:
    async with services.database.write() as session:
        return await age_incidents(session, live, site=services.site, now=services.clock.now())


async def test_a_fire_that_nobody_sees_again_fades_and_closes(services: Services, clock: FakeClock) -> None:
    """After two hours, and after a day; the alert stays in the hands it is in."""
    (incident,) = (await report(services, 1, fire(1, FOREST))).incidents
    live = LiveIncidents()
    assert await age(services, live) == ()
    clock.advance(2.5 * 3600)
    assert await age(services, live) == (incident,)
    assert await state_of(services, incident) == "fading"
    assert await age(services, live) == ()
    clock.advance(24 * 3600)
    assert await age(services, live) == (incident,)
    assert await state_of(services, incident) == "closed"
    async with services.database.read() as session:
        alert = (await session.scalars(select(AlertRow))).one()
    assert alert.state == "raised"


async def test_a_sight_of_a_fading_fire_opens_it_again(services: Services, clock: FakeClock) -> None:
    (incident,) = (await report(services, 1, fire(1, FOREST))).incidents
    live = LiveIncidents()
    clock.advance(3 * 3600)
    await age(services, live)
    again = replace(fire(2, FOREST), seen_at=clock.now())
    assert (await report(services, 2, again)).incidents == (incident,)
    assert await state_of(services, incident) == "open"
    assert await age(services, live) == ()


async def test_the_spread_of_a_fire_is_told_with_it(services: Services, client_of: Caller) -> None:
    """Twenty minutes apart, from 100 to 900 square metres: a front with an interval, worded twice."""
    (incident,) = (await report(services, 1, fire(1, FOREST, area_m2=100.0))).incidents
    client = client_of("operator")
    whole = (await client.get(f"/v1/incidents/{incident}")).json()
    assert whole["growth"] is None
    later = replace(fire(2, moved(FOREST, 90.0, 8.0), area_m2=900.0), seen_at=NOW + timedelta(minutes=20))
    await report(services, 2, later)
    growth = (await client.get(f"/v1/incidents/{incident}")).json()["growth"]
    assert growth["looks"] == 2
    assert growth["area_m2"] == pytest.approx(900.0, rel=0.05)
    low, high = growth["speed_90_m_s"]
    assert low <= growth["speed_m_s"] <= high
    assert growth["bearing_deg"] == pytest.approx(90.0, abs=30.0)
    assert growth["text"]["en-US"].endswith(" m²")
    assert "平方米" in growth["text"]["zh-CN"]


async def test_fires_that_grew_together_show_both_histories(services: Services, client_of: Caller) -> None:
    """Two fires 80 m apart, then a look over both: the older goes on with all three, the other is over."""
    far = moved(FOREST, 90.0, 80.0)
    (older,) = (await report(services, 1, fire(1, FOREST, area_m2=900.0))).incidents
    younger_fire = replace(fire(2, far, area_m2=900.0), seen_at=NOW + timedelta(minutes=1))
    (younger,) = (await report(services, 2, younger_fire)).incidents
    over = fire(3, moved(FOREST, 90.0, 40.0), area_m2=7000.0)
    recorded = await report(services, 3, over)
    assert set(recorded.incidents) == {older, younger}
    assert await state_of(services, younger) == "closed"
    whole = (await client_of("operator").get(f"/v1/incidents/{older}")).json()
    assert {look["id"] for look in whole["observations"]} == {"fire 1", "fire 2", "fire 3"}
    assert [look["decision"] for look in whole["observations"] if look["id"] == "fire 3"] == ["merged"]


async def visit(services: Services, number: int) -> None:
    """A picture of the fire's place in which nothing was found."""
    ring = tuple(moved(FOREST, bearing, 80) for bearing in (45, 135, 225, 315))
    searched = Analysis(frame_id(number), footprint=ring, searched=frozenset({Hazard.FIRE}))
    async with services.database.write() as session:
        meta = FrameIn(**frame_meta(number, taken_at=services.clock.now().isoformat()))
        await frames.accept_frame(session, meta, key=f"frames/{number}.tif", now=services.clock.now())
        await record_observations(session, searched, site=services.site, now=services.clock.now())


async def test_one_clean_visit_lets_a_fire_fade_and_a_second_one_closes_it(
    services: Services, clock: FakeClock
) -> None:
    """Each visit counts once, however often it is thought over, and only when it is over."""
    (incident,) = (await report(services, 1, fire(1, FOREST))).incidents
    live = LiveIncidents()
    clock.advance(20 * 60)
    await visit(services, 2)
    assert await age(services, live) == ()  # the drone may still be there
    clock.advance(11 * 60)
    assert await age(services, live) == (incident,)
    assert await state_of(services, incident) == "fading"
    assert await age(services, live) == ()
    assert await age(services, LiveIncidents()) == ()  # nor by a coordinator that takes over
    clock.advance(9 * 60)
    await visit(services, 3)
    clock.advance(11 * 60)
    assert await age(services, live) == (incident,)
    assert await state_of(services, incident) == "closed"
