"""What a single picture says of small things waits for the next looks; what is urgent does not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from api import analysis, confirming
from api.analysis import Analysis
from api.confirming import Seen, Waiting, is_urgent, silent, step
from api.schemas import FrameIn
from api.services import Services
from api.store import confirming as rows
from api.store import frames
from api.store.absorbing import Recorded, record_observations, tell_silent
from api.store.models import ObservationRow
from api.store.tables.confirming import CandidateRow
from missions.clock import FakeClock
from missions.geo import LatLon
from missions.model import Hazard
from tests.api.world import BORDER, NOW, detection, fire, frame_id, frame_meta
from vision.confirmation import Verdict
from vision.model import Box, Observation

SMALL = {"area_m2": 0.4}
AROUND = tuple(
    LatLon(BORDER.lat_deg + dy, BORDER.lon_deg + dx)
    for dy, dx in ((-0.001, -0.001), (-0.001, 0.001), (0.001, 0.001), (0.001, -0.001))
)
FAR_OFF = tuple(LatLon(p.lat_deg + 0.02, p.lon_deg) for p in AROUND)


def looked(
    number: int, *seen: Observation, ring: tuple[LatLon, ...] = AROUND, pixel: float = 10.0
) -> Analysis:
    """What an analyst says of frame `number`, taken ten seconds after the one before."""
    found = tuple(
        replace(detection(), box=Box(pixel, 10, pixel + 10, 20), confidence=one.confidence) for one in seen
    )
    at = NOW + timedelta(seconds=10 * number)
    return Analysis(
        frame_id(number),
        found,
        tuple(replace(one, seen_at=at, shot=frame_id(number)) for one in seen),
        footprint=ring,
        searched=frozenset({Hazard.FIRE, Hazard.HOT_SPOT}),
        placed=tuple(range(len(seen))),
        camera_at=LatLon(BORDER.lat_deg - 0.0005 * number, BORDER.lon_deg),
    )


async def record(services: Services, found: Analysis, number: int, **meta: Any) -> Recorded:
    """Accept a frame and record its analysis as the coordinator does, after the bus."""
    now = services.clock.now()
    at = (NOW + timedelta(seconds=10 * number)).isoformat()
    async with services.database.write() as session:
        told = FrameIn(**frame_meta(number, taken_at=at, **meta))
        await frames.accept_frame(session, told, key=f"frames/{number}.tif", now=now)
        carried = analysis.from_json(analysis.to_json(found))
        return await record_observations(session, carried, site=services.site, now=now, live=services.live)


async def test_a_small_fire_is_told_by_the_second_look_and_a_flash_never(services: Services) -> None:
    first = await record(services, looked(1, fire(1, BORDER, **SMALL)), 1)
    assert first.incidents == ()
    second = await record(services, looked(2, fire(2, BORDER, **SMALL), pixel=300), 2)
    assert len(second.incidents) == 1
    flash = LatLon(BORDER.lat_deg + 0.0005, BORDER.lon_deg)
    for number in (3, 4, 5):
        seen = [fire(30, flash, **SMALL)] if number == 3 else []
        assert (await record(services, looked(number, *seen), number)).incidents == ()
    async with services.database.read() as session:
        row = await session.get_one(ObservationRow, "fire 30")
        assert (row.decision, row.incident) == ("denied", None)
        assert row.reason == "seen in 1 of 3 looks that should have shown it"


async def test_both_looks_of_what_waited_belong_to_the_incident(services: Services) -> None:
    await record(services, looked(1, fire(1, BORDER, **SMALL)), 1)
    recorded = await record(services, looked(2, fire(2, BORDER, **SMALL), pixel=300), 2)
    async with services.database.read() as session:
        its = select(func.count()).where(ObservationRow.incident == recorded.incidents[0])
        assert await session.scalar(its) == 2


async def test_a_large_hot_fire_does_not_wait(services: Services) -> None:
    assert len((await record(services, looked(1, fire(1, BORDER, area_m2=8.0)), 1)).incidents) == 1


async def test_a_fire_of_which_further_pictures_show_other_ground_is_told_after_two(
    services: Services,
) -> None:
    await record(services, looked(1, fire(1, BORDER, **SMALL)), 1)
    assert (await record(services, looked(2, ring=FAR_OFF), 2)).incidents == ()
    assert len((await record(services, looked(3, ring=FAR_OFF), 3)).incidents) == 1


async def test_a_fire_in_the_last_picture_of_a_flight_is_told_after_a_while_though_all_processes_restarted(
    services: Services, clock: FakeClock
) -> None:
    """What waits is in the database alone: nothing of the first process is used after it."""
    await record(services, looked(1, fire(1, BORDER, **SMALL)), 1)
    async with services.database.write() as session:
        assert (await tell_silent(session, site=services.site, now=clock.now())).incidents == ()
    clock.advance(confirming.PATIENCE.total_seconds())
    async with services.database.read() as session:
        assert await rows.anything_overdue(session, now=clock.now())
    async with services.database.write() as session:
        told = await tell_silent(session, site=services.site, now=clock.now())
    assert len(told.incidents) == 1
    async with services.database.write() as session:
        assert (await tell_silent(session, site=services.site, now=clock.now())).incidents == ()
        await rows.forget(session, before=NOW + timedelta(days=1))
        assert await session.scalar(select(func.count(CandidateRow.id))) == 0


async def test_a_fire_waits_as_long_as_pictures_of_its_camera_are_left_to_be_searched(
    services: Services, clock: FakeClock
) -> None:
    """A busy analyst is no silent camera; one that is an hour behind is down, and who waits is believed."""
    await record(services, looked(1, fire(1, BORDER, **SMALL)), 1)
    async with services.database.write() as session:
        at = (NOW + timedelta(seconds=20)).isoformat()
        await frames.accept_frame(
            session, FrameIn(**frame_meta(2, taken_at=at)), key="frames/2.tif", now=clock.now()
        )
    clock.advance(2 * confirming.PATIENCE.total_seconds())
    async with services.database.read() as session:
        assert not await rows.anything_overdue(session, now=clock.now())
    clock.advance(confirming.MOST_BEHIND.total_seconds())
    async with services.database.write() as session:
        told = await tell_silent(session, site=services.site, now=clock.now())
    assert len(told.incidents) == 1


async def test_what_stays_at_its_pixel_while_the_drone_moves_is_the_cameras_own(services: Services) -> None:
    await record(services, looked(1, fire(1, BORDER, **SMALL)), 1)
    assert (await record(services, looked(2, fire(2, BORDER, **SMALL)), 2)).incidents == ()
    async with services.database.read() as session:
        row = await session.get_one(ObservationRow, "fire 2")
    assert row.reason == confirming.RODE


async def test_the_other_eye_makes_a_waiting_fire_told_and_a_known_one_surer(services: Services) -> None:
    seen = replace(fire(1, BORDER, **SMALL), confidence=0.7)
    await record(services, looked(1, seen), 1)
    both = replace(looked(1, seen).observations[0], confidence=0.95, sources=("thermal 2", "rgb 1"))
    colour = replace(looked(2), agreed=(both,))
    recorded = await record(services, colour, 2, sensor="rgb")
    assert len(recorded.incidents) == 1
    async with services.database.read() as session:
        row = await session.get_one(ObservationRow, "fire 1")
    assert (row.confidence, row.sources) == (0.7, ["thermal 2", "rgb 1"])
    assert services.live.by_id[recorded.incidents[0]].confidence == pytest.approx(0.95)
    surer = replace(looked(3), agreed=(replace(both, confidence=0.98),))
    assert (await record(services, surer, 3, sensor="rgb")).incidents == recorded.incidents
    assert services.live.by_id[recorded.incidents[0]].confidence == pytest.approx(0.98)


async def test_an_incident_says_how_many_looks_should_have_seen_it_and_how_many_did_not(
    services: Services, client_of: Callable[[str | None], httpx.AsyncClient]
) -> None:
    for number in (1, 2):
        recorded = await record(
            services, looked(number, fire(number, BORDER, **SMALL), pixel=200 * number), number
        )
    await record(services, looked(3), 3)
    whole = (await client_of("forestry").get(f"/v1/incidents/{recorded.incidents[0]}")).json()
    (place,) = whole["confirmations"]
    assert (place["looks"], place["hits"], place["misses"], place["verdict"]) == (3, 2, 1, "confirmed")
    assert whole["observations"][0]["sources"] == ["test 1"]


def test_two_detectors_that_agree_are_urgent_and_one_sure_small_fire_is_not() -> None:
    small = fire(1, BORDER, **SMALL)
    assert not is_urgent(small)
    assert is_urgent(replace(small, sources=("thermal 2", "rgb 1")))
    assert is_urgent(replace(small, area_m2=2.0))
    assert not is_urgent(replace(small, area_m2=2.0, temp_max_c=200.0))
    assert not is_urgent(replace(small, area_m2=2.0, hazard=Hazard.SMOKE))


def test_a_place_that_was_told_after_silence_keeps_nothing_back() -> None:
    found = looked(1, fire(1, BORDER, **SMALL))
    look = rows.look_of(found, NOW)
    (waiting,) = step((), look, found.frame).waiting
    assert waiting.candidate.verdict is Verdict.WAITING
    told, out, off = silent(waiting)
    assert off == ()
    assert (told.held, told.is_told, [s.observation.id for s in out]) == ((), True, ["fire 1"])
    assert isinstance(told, Waiting)
    assert isinstance(out[0], Seen)


def test_a_hot_joint_that_no_further_look_confirmed_is_not_told() -> None:
    joint = replace(fire(1, BORDER, **SMALL), hazard=Hazard.HOT_JOINT)
    found = replace(looked(1, joint), searched=frozenset({Hazard.HOT_JOINT}))
    (waiting,) = step((), rows.look_of(found, NOW), found.frame).waiting
    left, out, (off,) = silent(waiting)
    assert (left.held, left.is_told, out, off.reason) == ((), False, (), confirming.ONCE)


@pytest.mark.parametrize(("confidence", "is_told"), [(0.64, False), (0.66, True)])
def test_smoke_seen_once_is_told_only_where_it_is_sure(confidence: float, is_told: bool) -> None:
    smoke = replace(fire(1, BORDER), hazard=Hazard.SMOKE, confidence=confidence)
    found = replace(looked(1, smoke), searched=frozenset({Hazard.SMOKE}))
    (waiting,) = step((), rows.look_of(found, NOW), found.frame).waiting
    left, out, off = silent(waiting)
    assert (left.is_told, len(out), len(off)) == (is_told, is_told, not is_told)
