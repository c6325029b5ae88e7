"""Looks that are asked for: the smallest sortie from the nearest able dock, and what its pictures settle."""

from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select

from api.looks import CannotLook, Sought, demand, smallest
from api.roles.looking import PATIENCE, Looking
from api.schedule import Heard, launches
from api.services import Services
from api.settings import read
from api.store import sorties
from api.store.fleet import seed_site
from api.store.models import AlertRow, IncidentRow, SortieRow
from api.store.tables.witnesses import LookRequestRow, StandingRow
from api.verification import Purpose, request_look
from missions.clock import FakeClock
from missions.geo import Area, LatLon, moved
from missions.model import Hazard, Plan, Site
from missions.site import load_site
from missions.terrain import Terrain
from tests.api.test_witnesses import looked, only, tell, word
from tests.api.world import NOW, fire
from vision.model import Ellipse

VALLEY = Path(__file__).parents[2] / "examples" / "valley" / "site.yaml"
WOOD = LatLon(30.283, 119.42)
"""In compartment 12, nearer to the west dock."""


@pytest.fixture(scope="module")
def valley() -> Site:
    return load_site(VALLEY)


@pytest.fixture(scope="module")
def ground(valley: Site) -> Terrain:
    return Terrain.open(valley.terrain)


def heard(site: Site, *, percent: float = 95.0, at: datetime = NOW, docks: Sequence[str] = ()) -> list[Heard]:
    """All drones in their docks, or those of some docks."""
    return [
        Heard(d.id, d.dock, d.model, "docked", percent, at)
        for d in site.drones
        if not docks or d.dock in docks
    ]


def sought(radius_m: float, place: LatLon = WOOD, hazard: Hazard = Hazard.SMOKE) -> Sought:
    return Sought(place, Ellipse(radius_m, radius_m, 0.0), hazard)


def test_a_precise_word_is_one_picture_and_a_vague_one_an_area(valley: Site) -> None:
    assert demand("look:1", sought(15.0), valley).where == WOOD
    where = demand("look:1", sought(60.0), valley).where
    assert isinstance(where, Area)
    assert demand("look:1", sought(60.0), valley).height_m == 120.0


def test_the_nearest_dock_with_a_charged_drone_flies_it(valley: Site, ground: Terrain) -> None:
    wanted = demand("look:1", sought(60.0), valley)
    near = smallest(valley, ground, wanted, heard(valley))
    assert isinstance(near, Plan)
    assert [s.dock for s in near.sorties] == ["dock-west"]
    assert 1 <= len(near.sorties[0].shots) <= 12
    far = smallest(valley, ground, wanted, heard(valley, docks=["dock-east"]))
    assert isinstance(far, Plan)
    assert [s.dock for s in far.sorties] == ["dock-east"]
    assert near.sorties[0].flight_s <= far.sorties[0].flight_s


def test_a_drone_that_is_not_charged_is_waited_for_and_a_place_without_a_way_is_not(
    valley: Site, ground: Terrain
) -> None:
    wanted = demand("look:1", sought(60.0), valley)
    low = smallest(valley, ground, wanted, heard(valley, percent=20.0))
    assert isinstance(low, CannotLook)
    assert not low.is_final
    outside = demand("look:1", sought(15.0, moved(valley.origin, 90.0, 6000.0)), valley)
    never = smallest(valley, ground, outside, heard(valley))
    assert isinstance(never, CannotLook)
    assert never.is_final
    assert never.reason


def test_a_look_goes_before_the_patrols_that_wait(valley: Site) -> None:
    """The schedule sorts them to the front; `launches` takes the first that a free drone can fly."""
    from api.schedule import Flight

    def flight(name: str, *demands: str) -> Flight:
        return Flight(name, "dock-west", "GP-1", None, "planned", 30.0, demands, None, None)

    waiting = [flight("P1-S1", "forest-11"), flight("P2-S1", "look:L1")]
    waiting.sort(key=lambda f: not f.is_asked_for)
    models = {m.name: m for m in valley.models}
    chosen = launches(waiting, heard(valley), models, {}, now=NOW)
    assert chosen == (("P2-S1", "D1"),)


@dataclass
class Ears:
    """What the drones last said, as `Watch` keeps it from the bus."""

    drones: list[Heard]

    def heard(self) -> list[Heard]:
        return self.drones


class Silent:
    """A bus that nobody listens to: the database alone tells what there is to do."""

    async def publish(self, subject: str, value: dict[str, Any]) -> None:
        """Nothing."""


@dataclass
class Desk:
    """The coordinator's looks on the valley, one step at a time."""

    services: Services
    clock: FakeClock
    ears: Ears
    looking: Looking

    async def step(self) -> LookRequestRow:
        """Settle what can be settled, plan what can be planned; return the only request."""
        request = await only(self.services, LookRequestRow)
        if not await self.looking._settle(request.id):
            await self.looking._plan(request.id)
        return cast(LookRequestRow, await only(self.services, LookRequestRow))

    async def fly(self, *, files: int = 4, state: str = "done") -> str:
        """Let the planned sortie be over, without its pictures; return its id."""
        async with self.services.database.write() as session:
            row = (await session.scalars(select(SortieRow).where(SortieRow.state == "planned"))).one()
            row.state, row.shots_files = state, files
            return row.id


@pytest.fixture
async def desk(
    services: Services, valley: Site, ground: Terrain, clock: FakeClock, tmp_path: Path
) -> AsyncIterator[Desk]:
    on_valley = replace(services, site=valley, terrain=ground)
    async with on_valley.database.write() as session:
        await seed_site(session, valley, gateway="g1")

    @asynccontextmanager
    async def writing() -> AsyncIterator[Any]:
        async with on_valley.database.write() as session:
            yield session

    ears = Ears(heard(valley))
    settings = read(data=tmp_path, site=VALLEY)
    with ThreadPoolExecutor(1) as pool:
        looking = Looking(
            settings, on_valley, cast(Any, Silent()), writing, cast(Any, ears), cast(Any, pool), lambda: None
        )
        yield Desk(on_valley, clock, ears, looking)


async def test_a_report_is_planned_at_once_and_cleared_by_pictures_that_show_nothing(desk: Desk) -> None:
    await tell(desk.services, word(place=WOOD, hazard=Hazard.SMOKE))
    planned = await desk.step()
    assert planned.state == "planned"
    async with desk.services.database.read() as session:
        sortie = await session.get_one(SortieRow, planned.sortie)
    assert sortie.demands == [f"look:{planned.id}"]
    assert sortie.dock == "dock-west"
    assert (await desk.step()).state == "planned"  # still to be flown
    await desk.fly()
    desk.clock.advance(300)
    await looked(desk.services, 1, WOOD, 80.0)
    done = await desk.step()
    assert (done.state, done.outcome) == ("done", "clean")
    incident, standing = await only(desk.services, IncidentRow), await only(desk.services, StandingRow)
    assert (incident.state, standing.standing) == ("closed", "cleared")
    assert standing.reason["en-US"] == (
        "Cleared: 1 pictures taken until 10:05 show 100 % of the place with the thermal camera, "
        "and nothing was found."
    )
    async with desk.services.database.read() as session:
        assert {a.state for a in await session.scalars(select(AlertRow))} <= {"cancelled"}


async def test_a_report_is_confirmed_as_soon_as_a_picture_shows_the_fire(desk: Desk) -> None:
    await tell(desk.services, word(place=WOOD, hazard=Hazard.SMOKE))
    await desk.step()
    desk.clock.advance(200)
    seen = replace(fire(1, moved(WOOD, 90.0, 25.0), area_m2=20.0), seen_at=desk.clock.now())
    await looked(desk.services, 1, WOOD, 80.0, seen)
    done = await desk.step()
    assert (done.state, done.outcome) == ("done", "seen")
    assert (await only(desk.services, StandingRow)).standing == "confirmed"
    assert (await only(desk.services, IncidentRow)).hazard == "fire"


async def test_pictures_that_show_only_part_of_the_place_clear_nothing(desk: Desk) -> None:
    await tell(desk.services, word(place=WOOD, hazard=Hazard.SMOKE))
    await desk.step()
    await desk.fly()
    desk.clock.advance(300)
    await looked(desk.services, 1, moved(WOOD, 90.0, 80.0), 60.0)
    done = await desk.step()
    assert (done.state, done.outcome) == ("done", "not_seen")
    assert "too little to say that nothing is there" in (done.reason or {})["en-US"]
    assert (await only(desk.services, StandingRow)).standing == "unconfirmed"
    assert (await only(desk.services, IncidentRow)).state == "open"


async def test_a_flood_is_looked_at_and_left_to_a_person_because_nobody_searches_for_it(desk: Desk) -> None:
    await tell(desk.services, word(place=WOOD, hazard=Hazard.FLOOD))
    await desk.step()
    await desk.fly()
    desk.clock.advance(300)
    await looked(desk.services, 1, WOOD, 80.0)
    done = await desk.step()
    assert done.outcome == "not_seen"
    assert (done.reason or {})["en-US"].startswith(
        "Not seen: nobody searches pictures for Suspected flooding"
    )


async def test_a_fire_beside_the_place_does_not_keep_it_from_being_cleared(desk: Desk) -> None:
    """The picture shows another fire 90 m off; where smoke was told of there is nothing."""
    await tell(desk.services, word(place=WOOD, hazard=Hazard.SMOKE, ellipse=Ellipse(20.0, 20.0, 0.0)))
    await desk.step()
    await desk.fly()
    desk.clock.advance(300)
    other = replace(fire(1, moved(WOOD, 90.0, 90.0)), seen_at=desk.clock.now())
    await looked(desk.services, 1, WOOD, 120.0, other)
    assert (await desk.step()).outcome == "clean"


async def test_a_sortie_that_fails_or_is_withdrawn_is_planned_again(desk: Desk) -> None:
    await tell(desk.services, word(place=WOOD, hazard=Hazard.SMOKE))
    first = await desk.step()
    await desk.fly(state="failed")
    waiting = await desk.step()
    assert (waiting.state, (waiting.reason or {})["en-US"]) == (
        "asked",
        "The sortie failed; it is planned again.",
    )
    desk.clock.advance(60)
    desk.ears.drones = heard(desk.services.site, at=desk.clock.now())
    again = await desk.step()
    assert again.state == "planned"
    assert again.sortie != first.sortie
    async with desk.services.database.write() as session:
        await sorties.withdraw_planned(session, now=desk.clock.now())
    assert ((await desk.step()).reason or {})["en-US"] == "The sortie was withdrawn; it is planned again."


async def test_without_a_free_drone_it_waits_and_in_the_end_says_so(desk: Desk) -> None:
    desk.ears.drones = []
    await tell(desk.services, word(place=WOOD, hazard=Hazard.SMOKE))
    waiting = await desk.step()
    assert (waiting.state, (waiting.reason or {})["zh-CN"]) == ("asked", "可达机巢暂无可用无人机。")
    desk.clock.advance(PATIENCE.total_seconds() + 60)
    assert (await desk.step()).outcome == "not_seen"


async def test_a_drone_that_has_been_silent_is_not_counted_on(desk: Desk) -> None:
    desk.ears.drones = heard(desk.services.site, at=NOW - timedelta(minutes=5))
    await tell(desk.services, word(place=WOOD, hazard=Hazard.SMOKE))
    assert (await desk.step()).state == "asked"


async def test_a_patrol_that_passes_meanwhile_spares_the_flight(desk: Desk) -> None:
    desk.ears.drones = []
    await tell(desk.services, word(place=WOOD, hazard=Hazard.SMOKE))
    await desk.step()
    desk.clock.advance(120)
    await looked(desk.services, 1, WOOD, 80.0)
    done = await desk.step()
    assert (done.outcome, done.sortie) == ("clean", None)


async def test_a_word_that_no_look_could_settle_is_let_go_after_a_day(desk: Desk) -> None:
    await tell(desk.services, word(place=WOOD, hazard=Hazard.SMOKE))
    await tell(desk.services, word("s2", moved(WOOD, 90.0, 900.0), hazard=Hazard.FLOOD))
    desk.clock.advance(25 * 3600)
    await desk.looking._tidy()
    async with desk.services.database.read() as session:
        rows = (await session.scalars(select(IncidentRow))).all()
        told = {s.standing for s in await session.scalars(select(StandingRow))}
    assert {row.hazard: row.state for row in rows} == {"smoke": "closed", "flood": "open"}
    assert told == {"unconfirmed"}


async def test_an_order_can_ask_whether_a_fire_is_out(desk: Desk) -> None:
    await looked(desk.services, 1, WOOD, 80.0, fire(1, WOOD, area_m2=20.0))
    incident = (await only(desk.services, IncidentRow)).id
    desk.clock.advance(3600)
    desk.ears.drones = heard(desk.services.site, at=desk.clock.now())
    async with desk.services.database.write() as session:
        asked = await request_look(
            session, incident, purpose=Purpose.OVER, asked_by="order 1", now=desk.clock.now()
        )
        same = await request_look(
            session, incident, purpose=Purpose.OVER, asked_by="order 2", now=desk.clock.now()
        )
        assert same.id == asked.id
    assert (await desk.step()).state == "planned"
    await desk.fly()
    desk.clock.advance(300)
    await looked(desk.services, 2, WOOD, 80.0)
    assert (await desk.step()).outcome == "clean"
    assert (await only(desk.services, IncidentRow)).state == "closed"
