"""What was looked at: shares and ages of demands and squares, and whose eyes they are for."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from api.coverage import cells, demands_covered
from api.services import Services
from missions.clock import FakeClock
from missions.geo import Area, Corridor, LatLon, moved
from missions.model import Demand, Hazard, Sensor, Site
from tests.api.test_witnesses import looked
from tests.api.world import FOREST, NOW, VILLAGE, fire

Client = Callable[[str | None], httpx.AsyncClient]


def square(middle: LatLon, half_m: float) -> Area:
    return Area(tuple(moved(middle, bearing, half_m * 2**0.5) for bearing in (315.0, 45.0, 135.0, 225.0)))


def wants(name: str, agency: str, where: Any, **changes: Any) -> Demand:
    values: dict[str, Any] = {
        "hazards": frozenset({Hazard.FIRE}),
        "sensors": frozenset({Sensor.THERMAL}),
        "height_m": 120.0,
        "revisit_s": 3600.0,
    }
    return Demand(name, agency, where=where, **{**values, **changes})


@dataclass(frozen=True)
class Look:
    footprint: list[list[float]]
    taken_at: datetime = NOW
    sensor: str = "thermal"
    gsd_m: float | None = 0.16
    hazards: tuple[str, ...] = ("fire",)


def shows(area: Area, **changes: Any) -> Look:
    return Look([[p.lon_deg, p.lat_deg] for p in area.outer], **changes)


@pytest.fixture
def watched(site: Site) -> Site:
    demands = (
        wants("forest", "forestry", square(FOREST, 100.0)),
        wants("houses", "village", square(VILLAGE, 50.0), hazards=frozenset({Hazard.FIRE, Hazard.FLOOD})),
    )
    return replace(site, demands=demands)


def test_half_of_a_demand_seen_is_half_covered_and_the_rest_is_not_called_clean(watched: Site) -> None:
    half = square(moved(FOREST, 270.0, 100.0), 100.0)
    forest, houses = demands_covered(watched, [shows(half)], now=NOW + timedelta(minutes=30))
    assert forest.shown_share == pytest.approx(0.5, abs=0.02)
    assert forest.overdue_share == pytest.approx(0.5, abs=0.02)
    assert forest.median_age_s == pytest.approx(1800)
    assert forest.gsd_m == 0.16
    assert (houses.shown_share, houses.last_at, houses.median_age_s) == (0.0, None, None)


def test_a_picture_that_nobody_searches_for_the_hazard_shows_and_does_not_search(watched: Site) -> None:
    looks = [shows(square(FOREST, 150.0), hazards=())]
    forest, _ = demands_covered(watched, looks, now=NOW)
    assert (forest.shown_share, forest.searched_share) == (1.0, 0.0)


def test_ground_is_not_seen_for_a_hazard_whose_detector_abstained(watched: Site) -> None:
    """The picture was searched for fire; no baseline told what water there is new."""
    _, houses = demands_covered(watched, [shows(square(VILLAGE, 80.0), hazards=("fire",))], now=NOW)
    assert houses.searched_by_hazard == {"fire": 1.0, "flood": 0.0}


def test_a_sensor_that_was_not_asked_for_does_not_count(watched: Site) -> None:
    forest, _ = demands_covered(watched, [shows(square(FOREST, 150.0), sensor="rgb")], now=NOW)
    assert forest.shown_share == 0.0
    assert forest.by_sensor == {"thermal": 0.0}


def test_what_is_older_than_the_revisit_time_is_overdue(watched: Site) -> None:
    forest, _ = demands_covered(watched, [shows(square(FOREST, 150.0))], now=NOW + timedelta(hours=2))
    assert (forest.shown_share, forest.overdue_share) == (1.0, 1.0)


def test_the_age_of_a_place_is_that_of_its_last_look_whatever_their_order(watched: Site) -> None:
    new = shows(square(FOREST, 30.0), taken_at=NOW)
    old = shows(square(FOREST, 150.0), taken_at=NOW - timedelta(minutes=50))
    for looks in ([new, old], [old, new]):
        found = cells(watched, looks, now=NOW + timedelta(minutes=10))
        ages = {round(c.age_s / 60) for c in found if c.age_s is not None}
        assert ages == {10, 60}
    assert any(c.age_s is None for c in found)  # the village was not seen


def test_a_corridor_and_a_point_have_ground_too(site: Site) -> None:
    line = Corridor((FOREST, moved(FOREST, 90.0, 300.0)), 20.0)
    both = replace(site, demands=(wants("line", "forestry", line), wants("gate", "forestry", FOREST)))
    found = demands_covered(both, [shows(square(FOREST, 60.0))], now=NOW)
    assert found[0].shown_share == pytest.approx(0.2, abs=0.03)
    assert found[1].shown_share == 1.0


def test_a_site_that_demands_nothing_has_nothing_to_cover(site: Site) -> None:
    assert cells(site, [], now=NOW) == []
    assert demands_covered(site, [], now=NOW) == []


@pytest.fixture
def services(services: Services, watched: Site) -> Services:
    return replace(services, site=watched)


async def test_each_agency_sees_its_own_demands_and_ground(services: Services, client_of: Client) -> None:
    await looked(services, 1, FOREST, 60.0)
    seen = {}
    for who in ("operator", "forestry", "village"):
        answer = await client_of(who).get("/v1/coverage")
        assert answer.headers["content-type"] == "application/geo+json"
        seen[who] = answer.json()["features"]
    assert [f["id"] for f in seen["operator"] if f["properties"]["kind"] == "demand"] == ["forest", "houses"]
    assert [f["id"] for f in seen["forestry"] if f["properties"]["kind"] == "demand"] == ["forest"]
    forest = next(f for f in seen["forestry"] if f["properties"]["kind"] == "demand")["properties"]
    assert forest["shown_share"] == pytest.approx(0.36, abs=0.02)
    assert all(f["properties"].get("age_s") is None for f in seen["village"])
    assert any(f["properties"].get("age_s") is not None for f in seen["forestry"])
    assert (await client_of(None).get("/v1/coverage")).status_code == 401


async def test_a_place_is_clean_found_something_or_unknown(
    services: Services, client_of: Client, clock: FakeClock
) -> None:
    east = moved(FOREST, 90.0, 300.0)
    await looked(services, 1, FOREST, 60.0)
    await looked(services, 2, east, 60.0, fire(2, east))
    clock.advance(300)
    operator = client_of("operator")

    async def at(place: LatLon) -> Any:
        query = {"lat_deg": place.lat_deg, "lon_deg": place.lon_deg}
        return (await operator.get("/v1/coverage/at", params=query)).json()

    clean, found, unknown = await at(FOREST), await at(east), await at(moved(FOREST, 180.0, 600.0))
    assert clean["visit"]["is_clean"]
    assert clean["words"]["en-US"].startswith("The place was looked at 5 min before")
    assert not found["visit"]["is_clean"]
    assert unknown["visit"] is None
    assert "nothing is known of it" in unknown["words"]["en-US"]


async def test_an_agency_is_not_told_of_ground_that_is_not_its_own(client_of: Client) -> None:
    query = {"lat_deg": FOREST.lat_deg, "lon_deg": FOREST.lon_deg}
    assert (await client_of("village").get("/v1/coverage/at", params=query)).status_code == 404
