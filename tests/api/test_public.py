"""What everybody may read without a token: nothing before a release, and then only rounded."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.public import ROUNDED_DEG, rounded
from api.services import Services
from missions.clock import FakeClock
from missions.geo import LatLon
from tests.api.world import NOW, fire, report

Client = Callable[[str | None], httpx.AsyncClient]

YARD = LatLon(30.283417, 119.418733)
PERSON = {"person": "Li Wei"}


async def burning(services: Services) -> str:
    """A fire in somebody's yard on forestry's ground; its id."""
    recorded = await report(services, 1, fire(1, YARD, area_m2=20.0))
    return recorded.incidents[0]


async def read(client_of: Client, what: str) -> Any:
    reply = await client_of(None).get(f"/v1/public/{what}")
    assert reply.status_code == 200, reply.text
    return reply.json()


async def test_nothing_is_public_before_its_agency_releases_it_nor_after_it_takes_it_back(
    services: Services, client_of: Client
) -> None:
    incident, forestry = await burning(services), client_of("forestry")
    counts: dict[str, dict[str, int]] = {
        "incidents_by_hazard": {},
        "incidents_by_state": {},
        "verdicts": {},
        "reports_by_state": {},
    }
    assert await read(client_of, "incidents") == {"incidents": []}
    assert await read(client_of, "statistics") == counts
    assert (await forestry.post(f"/v1/incidents/{incident}/release", json=PERSON)).status_code == 200
    assert len((await read(client_of, "incidents"))["incidents"]) == 1
    assert (await forestry.post(f"/v1/incidents/{incident}/withdraw", json=PERSON)).status_code == 200
    assert await read(client_of, "incidents") == {"incidents": []}
    assert await read(client_of, "statistics") == counts


async def test_what_is_released_is_told_by_kilometre_and_hour_and_names_nobody(
    services: Services, client_of: Client, clock: FakeClock
) -> None:
    clock.advance(25 * 60)
    incident = await burning(services)
    await client_of("forestry").post(f"/v1/incidents/{incident}/release", json=PERSON)
    reply = await client_of(None).get("/v1/public/incidents")
    (shown,) = reply.json()["incidents"]
    assert (shown["lat_deg"], shown["lon_deg"]) == (30.285, 119.415)
    assert shown["within_deg"] == ROUNDED_DEG / 2
    assert shown["opened_at"] == NOW.isoformat().replace("+00:00", "Z")
    assert shown["near"].keys() == {"en-US", "zh-CN"}
    for secret in (incident, "30.2834", "119.4187", "Li Wei", "forestry"):
        assert secret not in reply.text


@pytest.mark.parametrize(
    "place", [YARD, LatLon(-33.8568, 151.2153), LatLon(-0.004, -0.004), LatLon(30.28, 119.42)]
)
def test_a_rounded_place_is_the_same_for_all_places_of_its_square(place: LatLon) -> None:
    found = rounded(place)
    assert abs(found.lat_deg - place.lat_deg) <= ROUNDED_DEG / 2 + 1e-9
    assert abs(found.lon_deg - place.lon_deg) <= ROUNDED_DEG / 2 + 1e-9
    assert rounded(found) == found


@pytest.mark.parametrize("hazard", ["fire", "flood"])
async def test_everybody_can_read_what_to_do_in_both_languages(client_of: Client, hazard: str) -> None:
    sentences = (await read(client_of, f"advice/{hazard}"))["sentences"]
    assert len(sentences) == 6
    for sentence in sentences:
        assert sentence["en-US"].isascii()
        assert sentence["en-US"].endswith(".")
        assert sentence["zh-CN"].endswith("。")
    assert len({sentence["zh-CN"] for sentence in sentences}) == 6


async def test_there_is_no_advice_on_what_we_know_nothing_of(client_of: Client) -> None:
    assert (await client_of(None).get("/v1/public/advice/unicorn")).status_code == 404


async def test_statistics_count_what_was_released_and_what_it_turned_out_to_be(
    services: Services, client_of: Client
) -> None:
    incident, forestry = await burning(services), client_of("forestry")
    await report(services, 2, fire(2, LatLon(30.275, 119.412), area_m2=20.0))  # is never released
    order = (await forestry.post(f"/v1/incidents/{incident}/orders", json={})).json()["id"]
    for act, wish in (("dispatch", {"assignee": "T"}), ("arrive", {}), ("resolve", {"verdict": "permitted"})):
        assert (await forestry.post(f"/v1/orders/{order}/{act}", json=wish)).status_code == 200
    await forestry.post(f"/v1/incidents/{incident}/release", json=PERSON)
    assert await read(client_of, "statistics") == {
        "incidents_by_hazard": {"fire": 1},
        "incidents_by_state": {"open": 1},
        "verdicts": {"permitted": 1},
        "reports_by_state": {},
    }


async def test_every_lesson_has_one_right_answer_in_both_languages(client_of: Client) -> None:
    lessons = (await read(client_of, "lessons"))["lessons"]
    assert {lesson["id"] for lesson in lessons} == {"burning", "smoke", "river", "line"}
    for lesson in lessons:
        assert [answer["is_right"] for answer in lesson["answers"]].count(True) == 1
        for words in (lesson["title"], lesson["text"], lesson["question"]):
            assert words.keys() == {"en-US", "zh-CN"}
            assert all(words.values())


async def test_a_stranger_who_asks_too_often_waits(services: Services, client_of: Client) -> None:
    """The page of everybody is not the way to keep the service busy."""
    answers = [(await client_of(None).get("/v1/public/lessons")).status_code for _ in range(400)]
    assert answers[0] == 200
    assert answers[-1] == 429


def test_hours_are_rounded_down() -> None:
    from api.public import rounded_time

    assert rounded_time(NOW + timedelta(minutes=59, seconds=59.9)) == NOW
