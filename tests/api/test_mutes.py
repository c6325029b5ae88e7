"""Silence with an owner and an end, and a storm that is told once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from api.alerts import STORM_COUNT
from api.mutes import LONGEST, Mute
from api.services import Services
from missions.clock import FakeClock
from missions.geo import LatLon, moved
from missions.model import Hazard
from tests.api.world import BORDER, FOREST, NOW, fire, report

Client = Callable[[str | None], httpx.AsyncClient]

KILN = {"lat_deg": FOREST.lat_deg, "lon_deg": FOREST.lon_deg, "radius_m": 60}


def wish(hours: float = 2.0, **changes: Any) -> dict[str, Any]:
    ends_at = (NOW + timedelta(hours=hours)).isoformat()
    return {"hazards": ["fire"], "reason": "a kiln", "ends_at": ends_at, **changes}


async def told(client: httpx.AsyncClient) -> int:
    """How many alerts an agency has."""
    return len((await client.get("/v1/alerts")).json()["alerts"])


async def test_a_mute_has_an_owner_and_silences_its_agency_alone(
    services: Services, client_of: Client
) -> None:
    forestry, village = client_of("forestry"), client_of("village")
    made = await forestry.post("/v1/mutes", json=wish())
    assert made.status_code == 201
    assert (made.json()["owner"], made.json()["agency"]) == ("forestry desk", "forestry")
    await report(services, 1, fire(1, BORDER, area_m2=20.0))
    assert (await told(forestry), await told(village)) == (0, 1)
    assert len((await forestry.get("/v1/incidents")).json()["incidents"]) == 1, "muted is not hidden"


@pytest.mark.parametrize(("metres", "alerts"), [(50.0, 0), (70.0, 1)])
async def test_a_mute_of_a_place_reaches_as_far_as_its_radius(
    services: Services, client_of: Client, metres: float, alerts: int
) -> None:
    forestry = client_of("forestry")
    assert (await forestry.post("/v1/mutes", json=wish(**KILN))).status_code == 201
    await report(services, 1, fire(1, moved(FOREST, 270.0, metres)))
    assert await told(forestry) == alerts


async def test_after_its_end_a_mute_is_silent_no_more(
    services: Services, client_of: Client, clock: FakeClock
) -> None:
    forestry = client_of("forestry")
    await forestry.post("/v1/mutes", json=wish(hours=2))
    clock.advance(2 * 3600 - 1)
    await report(services, 1, fire(1, FOREST))
    assert await told(forestry) == 0
    clock.advance(1)
    await report(services, 2, fire(2, FOREST))
    assert await told(forestry) == 1
    assert (await forestry.get("/v1/mutes")).json() == {"mutes": []}


async def test_its_agency_ends_a_mute_and_nobody_else_even_knows_of_it(
    services: Services, client_of: Client
) -> None:
    forestry, village = client_of("forestry"), client_of("village")
    path = f"/v1/mutes/{(await forestry.post('/v1/mutes', json=wish())).json()['id']}"
    assert (await village.get("/v1/mutes")).json() == {"mutes": []}
    assert (await village.delete(path)).status_code == 404
    ended = await forestry.delete(path)
    assert datetime.fromisoformat(ended.json()["ends_at"]) == NOW
    await report(services, 1, fire(1, FOREST))
    assert await told(forestry) == 1


async def test_what_was_told_before_and_gets_worse_is_told_through_a_mute(
    services: Services, client_of: Client
) -> None:
    forestry = client_of("forestry")
    await report(services, 1, fire(1, FOREST))
    await forestry.post("/v1/mutes", json=wish())
    await report(services, 2, fire(2, FOREST, area_m2=60.0))
    (alert,) = (await forestry.get("/v1/alerts")).json()["alerts"]
    assert (alert["severity"], alert["state"]) == ("red", "updated")


@pytest.mark.parametrize(
    "wrong",
    [
        wish(hours=-1),
        wish(hours=0),
        wish(hours=LONGEST.total_seconds() / 3600 + 1),
        wish(lat_deg=30.28, lon_deg=119.41),  # how far around it?
        wish(radius_m=100),
        wish(hazards=[]),
        wish(hazards=["unicorn"]),
        wish(owner="somebody else"),
        wish(reason=""),
        {"hazards": ["fire"], "reason": "for ever"},
    ],
)
async def test_a_mute_without_a_sound_end_reason_or_place_is_refused(
    client_of: Client, wrong: dict[str, Any]
) -> None:
    assert (await client_of("forestry").post("/v1/mutes", json=wrong)).status_code == 422


async def test_an_agency_mutes_for_itself_and_the_operator_for_the_one_it_names(client_of: Client) -> None:
    made = await client_of("forestry").post("/v1/mutes", json=wish(agency="village"))
    assert made.status_code == 422
    assert (await client_of("operator").post("/v1/mutes", json=wish())).status_code == 422
    by_phone = await client_of("operator").post("/v1/mutes", json=wish(agency="village"))
    assert (by_phone.json()["agency"], by_phone.json()["owner"]) == ("village", "operator desk")


@pytest.mark.parametrize(
    ("hazard", "minutes", "covers"),
    [
        (Hazard.FIRE, 0, True),
        (Hazard.FIRE, 59, True),
        (Hazard.FIRE, 60, False),
        (Hazard.FIRE, -1, False),
        (Hazard.FLOOD, 0, False),
    ],
)
def test_a_mute_covers_its_hazards_from_its_beginning_until_before_its_end(
    hazard: Hazard, minutes: int, covers: bool
) -> None:
    mute = Mute("forestry", frozenset({Hazard.FIRE}), NOW, NOW + timedelta(hours=1))
    assert mute.covers(hazard, FOREST, NOW + timedelta(minutes=minutes)) is covers


def scattered(count: int, *, apart_m: float = 60.0) -> list[LatLon]:
    """Places in two rows, near enough to be one storm and too far apart to be one fire."""
    return [moved(moved(FOREST, 0.0, apart_m * (i % 2)), 270.0, apart_m * (i // 2)) for i in range(count)]


async def test_a_storm_of_fires_is_told_as_one_and_all_of_them_are_seen(
    services: Services, client_of: Client
) -> None:
    forestry = client_of("forestry")
    for number, place in enumerate(scattered(STORM_COUNT + 5), start=1):
        await report(services, number, fire(number, place))
    assert len((await forestry.get("/v1/incidents")).json()["incidents"]) == STORM_COUNT + 5
    assert await told(forestry) == STORM_COUNT


async def test_a_worse_fire_in_a_storm_is_told_in_the_storms_alert(
    services: Services, client_of: Client
) -> None:
    forestry = client_of("forestry")
    *small, last = scattered(STORM_COUNT + 1)
    for number, place in enumerate(small, start=1):
        await report(services, number, fire(number, place))
    await report(services, 99, fire(99, last, area_m2=60.0))
    alerts = (await forestry.get("/v1/alerts")).json()["alerts"]
    assert len(alerts) == STORM_COUNT
    (speaker,) = [alert for alert in alerts if alert["severity"] == "red"]
    assert speaker["state"] == "updated"


async def test_fires_far_apart_are_no_storm(services: Services, client_of: Client) -> None:
    forestry = client_of("forestry")
    places = [moved(FOREST, 0.0, 301.0 * (i - 3)) for i in range(STORM_COUNT + 1)]
    for number, place in enumerate(places, start=1):
        await report(services, number, fire(number, place))
    assert await told(forestry) == STORM_COUNT + 1
