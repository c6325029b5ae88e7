"""A flying sortie's camera follows what an operator points at, told anew by what the frames show."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api import audit
from api.analysis import Analysis
from api.launch import is_unseen
from api.roles.coordinator import _tell_mover
from api.roles.following import Pursuits
from api.schemas import FrameIn
from api.services import Services
from api.store import frames
from fleet.following import Mover, Pursuit, mover_from
from missions.air import NoPhoto
from missions.geo import Area, LatLon, distance_m, moved
from missions.model import Hazard
from tests.api.conftest import Outside
from tests.api.test_sorties import hear, planned, sortie, told  # noqa: F401 (planned is a fixture)
from tests.api.world import FOREST, NOW, fire, frame_id, frame_meta, report

Client = Callable[[str | None], httpx.AsyncClient]
FOLLOWS = {"kind": "", "lat_deg": FOREST.lat_deg, "lon_deg": FOREST.lon_deg, "seen_at": NOW.isoformat()}
ROAD = {"lat_deg": 30.281, "lon_deg": 119.42, "speed_m_s": 6.0, "heading_deg": 85.0, "seconds": 90.0}


async def test_an_operator_lets_a_flying_sorties_camera_follow_and_look_ahead_again(
    planned: Services,  # noqa: F811
    client_of: Client,
    outside: Outside,
) -> None:
    """Never one that does not fly; who asked for what stands in the audit trail."""
    operator = client_of("operator")
    early = await operator.post("/v1/sorties/P1-S1/follow", json=ROAD)
    assert (early.status_code, early.json()["allowed"]) == (409, ["launch"])
    await operator.post("/v1/sorties/P1-S1/launch")
    reply = await operator.post("/v1/sorties/P1-S1/follow", json=ROAD | {"reason": "a lorry with logs"})
    assert reply.json() == {"accepted": True, "reason": None}
    assert (await operator.post("/v1/sorties/P1-S1/unfollow")).json()["accepted"]
    _, follow, end = outside.commands
    assert (follow["action"], follow["seconds"], end["action"]) == ("follow", 90.0, "unfollow")
    assert follow["mover"] == {k: ROAD[k] for k in ("lat_deg", "lon_deg", "speed_m_s", "heading_deg")}
    async with planned.database.read() as session:
        trail = {entry.action: entry.details for entry in await audit.page(session)}
    assert trail["sortie.follow"]["reason"] == "a lorry with logs"
    assert trail["sortie.follow"]["mover"] == follow["mover"]
    assert "sortie.unfollow" in trail


@pytest.mark.parametrize(
    ("wish", "code", "words"),
    [
        ({}, 422, "one of the three"),
        ({"lat_deg": 30.0}, 422, "one of the three"),
        ({**ROAD, "observation": "o1"}, 422, "one of the three"),
        ({"observation": "o1"}, 404, "no observation 'o1'"),
        ({**ROAD, "seconds": 4000}, 422, "less than or equal to 300"),
        ({**ROAD, "heading_deg": -3}, 422, "greater than or equal to 0"),
    ],
)
async def test_what_cannot_be_followed_is_said_and_nothing_is_sent(
    planned: Services,  # noqa: F811
    client_of: Client,
    outside: Outside,
    wish: dict[str, Any],
    code: int,
    words: str,
) -> None:
    await client_of("operator").post("/v1/sorties/P1-S1/launch")
    reply = await client_of("operator").post("/v1/sorties/P1-S1/follow", json=wish)
    assert (reply.status_code, words in reply.text) == (code, True), reply.text
    assert [c["action"] for c in outside.commands] == ["fly"]


@pytest.mark.parametrize("named", ["incident", "observation"])
@pytest.mark.parametrize(("ago_s", "goes"), [(0, True), (12, True), (40, False)])
async def test_what_the_looks_show_going_is_followed_with_its_speed_and_from_where_it_is_by_now(
    planned: Services,  # noqa: F811
    client_of: Client,
    outside: Outside,
    named: str,
    ago_s: float,
    goes: bool,
) -> None:
    """From looks at a truck on its way to what the gateway reads; what was lost long ago is not guessed."""
    for number, s in enumerate(range(-10, 1, 2), start=1):
        seen_at = NOW + timedelta(seconds=s - ago_s)
        truck = replace(
            fire(number, moved(FOREST, 90.0, 6.0 * (s + 10))), hazard=Hazard.INTRUSION, kind="truck"
        )
        recorded = await report(planned, number, replace(truck, seen_at=seen_at))
    operator = client_of("operator")
    await operator.post("/v1/sorties/P1-S1/launch")
    wish = {"incident": recorded.incidents[-1]} if named == "incident" else {"observation": "fire 6"}
    assert (await operator.post("/v1/sorties/P1-S1/follow", json=wish)).json()["accepted"]
    mover = mover_from(outside.commands[-1]["mover"], NOW)
    assert (mover.speed_m_s == pytest.approx(6.0, abs=0.5)) == goes
    if goes:
        assert mover.heading_deg == pytest.approx(90.0, abs=5.0)
        assert distance_m(mover.after(ago_s), moved(FOREST, 90.0, 60.0 + 6.0 * ago_s)) < 8.0


async def test_where_an_animal_is_followed_stands_roughly_in_the_audit_trail(
    planned: Services,  # noqa: F811
    client_of: Client,
    outside: Outside,
) -> None:
    recorded = await report(planned, 1, replace(fire(1, FOREST), hazard=Hazard.WILDLIFE))
    operator = client_of("operator")
    await operator.post("/v1/sorties/P1-S1/launch")
    await operator.post("/v1/sorties/P1-S1/follow", json={"incident": recorded.incidents[0]})
    assert outside.commands[-1]["mover"]["lat_deg"] == FOREST.lat_deg
    async with planned.database.read() as session:
        (entry,) = [e for e in await audit.page(session) if e.action == "sortie.follow"]
    there = entry.details["mover"]
    assert distance_m(LatLon(there["lat_deg"], there["lon_deg"]), FOREST) > 400


async def test_what_the_gateway_tells_of_a_pursuit_is_told_on(
    planned: Services,  # noqa: F811
    client_of: Client,
) -> None:
    lorry = Mover(FOREST, 80.0, speed_m_s=6.0, heading_deg=85.0, seen_at=NOW, kind="truck")
    says = Pursuit(lorry, 80.0, seen_s=0.0, began_s=0.0, until_s=60.0).told | {"until_at": NOW.isoformat()}
    assert await hear(planned, told("armed"), told("flying", follows=says)) == [True, True]
    follows = (await sortie(client_of))["follows"]
    assert (follows["kind"], follows["speed_m_s"], follows["heading_deg"]) == ("truck", 6.0, 85.0)


def test_no_photo_ground_is_known(services: Services) -> None:
    """A camera that may not look there may not be turned there either."""
    site = services.site
    ring = tuple(moved(FOREST, bearing, 80.0) for bearing in (45.0, 135.0, 225.0, 315.0))
    school = replace(site, no_photo=(NoPhoto("school", Area(ring)),))
    assert is_unseen(school, FOREST)
    assert not is_unseen(school, moved(FOREST, 90.0, 400.0))
    assert not is_unseen(site, FOREST)


def walked(pursuits: Pursuits, seconds: range, *, sortie: str = "S1") -> list[Any]:
    """Return what is sent after frames that show a walker (1.5 m/s to the east) and a car that stands."""
    sent = []
    for s in seconds:
        at = NOW + timedelta(seconds=s)
        walker = replace(fire(s, moved(FOREST, 90.0, 3.0 + 1.5 * s)), hazard=Hazard.PERSON)
        car = replace(fire(100 + s, moved(FOREST, 0.0, 60.0)), hazard=Hazard.INTRUSION)
        sent.append(pursuits.seen(sortie, f"frame{s}", at, (car, walker, fire(200 + s, FOREST))))
    return sent


def test_frames_that_show_the_mover_again_tell_the_gateway_where_it_goes() -> None:
    """From the third sighting on, of the nearest that moves; each word under a name of its own."""
    pursuits = Pursuits()
    pursuits.heard("g1", {"sortie": "S1", "follows": FOLLOWS})
    sent = walked(pursuits, range(0, 24, 2))
    assert sent[:2] == [None, None]
    gateway, last = sent[-1]
    mover = last["mover"]
    assert (gateway, last["action"], last["sortie"], mover["kind"]) == (
        "g1",
        "follow",
        {"id": "S1"},
        "person",
    )
    assert "seconds" not in last, "a word about the mover prolongs nothing"
    assert distance_m(LatLon(mover["lat_deg"], mover["lon_deg"]), moved(FOREST, 90.0, 36.0)) < 3.0
    assert mover["speed_m_s"] == pytest.approx(1.5, abs=0.3)
    assert mover["heading_deg"] == pytest.approx(90.0, abs=12.0)
    assert len({command["id"] for _, command in sent[2:]}) == len(sent) - 2
    assert walked(pursuits, range(4, 5)) == [None], "an older frame that was searched later says nothing"


@pytest.mark.parametrize("kind", ["person", None])
def test_what_is_known_to_be_followed_is_led_on_by_single_looks(kind: str | None) -> None:
    """A camera aslant sees it now and then."""
    pursuits = Pursuits()
    pursuits.heard("g1", {"sortie": "S1", "follows": FOLLOWS | {"kind": kind}})
    sent = [word is not None for word in walked(pursuits, range(4, 60, 12))]
    assert sent == ([True] * 5 if kind else [False, False, True, True, True])


@pytest.mark.parametrize("told_speed_m_s", [0.0, 6.0])
def test_a_mover_lost_for_a_while_is_looked_for_where_it_must_be_by_now(told_speed_m_s: float) -> None:
    """Not where it was first seen: another one stands there by then, one of another kind goes beside it."""
    pursuits = Pursuits()
    follows = FOLLOWS | {"speed_m_s": told_speed_m_s, "heading_deg": 90.0}
    pursuits.heard("g1", {"sortie": "S1", "follows": follows})
    places = []
    for s in (*range(0, 10, 2), *range(30, 40, 2)):
        at = NOW + timedelta(seconds=s)
        lorry, standing = moved(FOREST, 90.0, 6.0 * s), moved(FOREST, 0.0, 4.0)
        seen = [replace(fire(s, lorry), hazard=Hazard.INTRUSION)]
        if s >= 30:
            seen += [replace(fire(100 + s, standing), hazard=Hazard.INTRUSION)]
            seen += [replace(fire(200 + s, moved(lorry, 0.0, 8.0)), hazard=Hazard.PERSON)]
        if word := pursuits.seen("S1", f"frame{s}", at, seen):
            mover = word[1]["mover"]
            places.append((s, mover["kind"], LatLon(mover["lat_deg"], mover["lon_deg"])))
    assert {kind for _, kind, _ in places} == {"vehicle"}
    assert max(s for s, _, _ in places) == 38
    assert all(distance_m(place, moved(FOREST, 90.0, 6.0 * s)) < 6.0 for s, _, place in places)


def test_without_a_pursuit_and_after_its_end_nothing_is_sent() -> None:
    """Nor for another sortie, nor for what does not move."""
    pursuits = Pursuits()
    assert not pursuits
    assert set(walked(pursuits, range(0, 10, 2))) == {None}
    pursuits.heard("g1", {"sortie": "S1", "follows": FOLLOWS})
    pursuits.heard("g1", {"sortie": "S1", "follows": FOLLOWS | {"lat_deg": 0.0}})  # it goes on as it began
    assert set(walked(pursuits, range(0, 10, 2), sortie="S2")) == {None}
    assert walked(pursuits, range(0, 10, 2))[-1] is not None
    pursuits.heard("g1", {"sortie": "S1"})
    assert not pursuits


async def test_the_coordinator_hears_of_a_pursuit_and_sends_what_the_frames_show(
    services: Services, outside: Outside
) -> None:
    """By the sortie of each frame; a mover that enters no-photo ground is let go."""
    pursuits = Pursuits()
    pursuits.heard("g1", {"sortie": "P1-S1", "follows": FOLLOWS})
    ring = tuple(moved(moved(FOREST, 90.0, 30.0), bearing, 10.0) for bearing in (45.0, 135.0, 225.0, 315.0))
    site = replace(services.site, no_photo=(NoPhoto("school", Area(ring)),))
    for number, east_m in enumerate((2.0, 5.0, 8.0, 11.0, 14.0, 17.0, 20.0, 23.0, 26.0, 29.0), start=1):
        meta = FrameIn(**frame_meta(number, taken_at=(NOW + timedelta(seconds=2 * number)).isoformat()))
        async with services.database.write() as session:
            await frames.accept_frame(session, meta, key=f"{number}.tif", now=NOW)
        walker = replace(fire(number, moved(FOREST, 90.0, east_m)), hazard=Hazard.PERSON)
        found = Analysis(frame_id(number), observations=(walker,))
        await _tell_mover(replace(services, site=site), pursuits, found)
    actions = [command["action"] for command in outside.commands]
    assert actions[0] == "follow"
    assert actions[-1] == "unfollow"
    assert outside.commands[-1]["sortie"] == {"id": "P1-S1"}
