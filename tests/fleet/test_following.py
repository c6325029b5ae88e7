"""Keeping the camera on a mover: within the sortie's limits, and everything else left as it was planned."""

import asyncio
import contextlib
import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fleet.errors import PlanRefused
from fleet.fly import order_of
from fleet.following import KEPT_PERCENT, LOST_S, Mover, mover_from
from fleet.frames import UNPLANNED
from fleet.gateway import DroneLink, Gateway
from fleet.journal import Journal
from fleet.messages import Motion
from fleet.order import SortieOrder
from fleet.pictures import PictureLedger
from fleet.stages import LookAhead, LookAt, Memory, Stage, Wish
from missions.clock import ScaledClock, SystemClock
from missions.export import planfile
from missions.geo import Altitude, Datum, LatLon, LocalFrame, distance_m, moved
from missions.model import Drone, Plan, Site, Sortie, Waypoint
from missions.site import load_site
from tests.fleet.builders import DOCK, sight
from tests.fleet.test_end_to_end import SITE, SPEED, Sink, simulator
from tests.fleet.test_pictures import PLACES, record
from tests.fleet.test_sortie import AIR, Timeline

SHOTS = 3
AT = datetime(2026, 5, 3, 4, 0, tzinfo=UTC)
HERE = moved(DOCK.place, 0.0, 60.0)
TRUCK = Mover(HERE, 82.0, 5.0, 90.0, AT, "truck")


def in_the_air() -> Timeline:
    return Timeline(has_dock=False).until(Stage.FLYING)


def follow(
    flight: Timeline, mover=TRUCK, for_s: float | None = 60.0, age_s: float = 0.0, **seen
) -> str | None:
    shown = sight(flight.now, **{**AIR, **seen})
    return flight.machine.follow(mover, mover.ground_m, for_s, shown, age_s=age_s, now=flight.now)


def looks(flight: Timeline) -> list[LookAt]:
    return [a for a in flight.done if isinstance(a, LookAt)]


def test_the_camera_goes_along_with_what_moves_until_the_time_is_over():
    """Once a second, where it is by then; a picture every other time; then the mission's own look again."""
    flight = in_the_air()
    assert follow(flight, for_s=8.0) is None
    began = flight.now
    looked = []
    while flight.machine.pursuit is not None:
        before = len(looks(flight))
        flight.see(0.55, door=None, **AIR)
        looked += [(flight.now - began, look) for look in looks(flight)[before:]]
    for after_s, look in looked:
        assert distance_m(look.place, moved(HERE, 90.0, 5.0 * after_s)) < 0.1
    assert len(looked) == 7
    assert sum(look.shoots for _, look in looked) == 3
    assert 8.0 <= flight.now - began < 8.6
    assert flight.done[-1] == LookAhead()
    assert "the time asked for is over" in flight.told[-1].evidence
    assert flight.machine.looks_aside(flight.now + 1.0)
    assert not flight.machine.looks_aside(flight.now + 5.0)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"for_s": 900.0}, "a sortie allows up to 300 s"),
        ({"for_s": None}, "nothing is followed"),
        ({"age_s": LOST_S + 1}, "it is lost"),
        ({"battery_percent": KEPT_PERCENT - 1}, "20 % are kept"),
        ({"blind": True}, "no-photo ground"),
        ({"mover": replace(TRUCK, place=moved(HERE, 0.0, 400.0))}, "up to 300 m are allowed"),
        ({"mover": replace(TRUCK, place=moved(HERE, 0.0, 150.0))}, "15° or steeper"),
    ],
)
def test_what_the_sortie_does_not_allow_is_refused_with_the_reason(changed, reason):
    """And nothing is ordered."""
    flight = in_the_air()
    assert reason in follow(flight, **changed)
    flight.see(2.0, door=None, **AIR)
    assert looks(flight) == []


def test_before_take_off_and_on_the_way_home_nothing_is_followed():
    """Only a flying sortie has time for it; recalled, it ends what it follows first."""
    waiting = Timeline().until(Stage.UPLOAD)
    assert "only a flying one can follow" in follow(waiting)
    flight = in_the_air()
    assert follow(flight) is None
    flight.machine.wish(Wish.RECALL)
    flight.see(door=None, **AIR)
    assert flight.machine.pursuit is None
    assert LookAhead() in flight.done
    assert "only a flying one can follow" in follow(flight)


def test_a_newer_word_goes_on_and_silence_about_the_mover_ends_it():
    """It is not looked for where it may not be any more."""
    flight = in_the_air()
    follow(flight, for_s=200.0)
    flight.see(10.0, door=None, **AIR)
    turned = replace(TRUCK, place=moved(HERE, 90.0, 40.0), heading_deg=180.0)
    assert follow(flight, turned, for_s=None, age_s=1.0) is None
    flight.see(1.0, door=None, **AIR)
    assert distance_m(looks(flight)[-1].place, moved(turned.place, 180.0, 10.0)) < 0.1
    flight.see(LOST_S, door=None, **AIR)
    assert "it was last seen" in flight.told[-1].evidence
    assert flight.machine.unfollow("a person asked for it", flight.now) == "nothing is followed"


def test_out_of_reach_the_camera_rests_and_a_lost_drone_is_ordered_nothing():
    """It goes on by itself when both are near again."""
    flight = in_the_air()
    follow(flight, for_s=200.0)
    away = Motion(30.29, 119.42, 132.0, 50.0, 5.0, 0.0, 0.0)
    flight.see(2.0, door=None, **{**AIR, "motion": away})
    assert looks(flight) == []
    flight.see(2.0, door=None, **AIR, heard_s=flight.now - 20.0)
    assert looks(flight) == []
    flight.see(2.0, door=None, **AIR)
    assert len(looks(flight)) == 1


def test_a_gateway_killed_while_it_followed_lets_the_camera_look_ahead_again():
    """Else the rest of the sortie would be pictures of a road."""
    flight = in_the_air()
    follow(flight)
    memory = Memory.from_json(flight.machine.memory.to_json())
    assert memory.follows
    later = Timeline(has_dock=False)
    later.machine.reattach(Stage.FLYING, sight(later.now, **AIR), later.now, memory)
    later.see(door=None, **AIR)
    assert LookAhead() in later.done
    assert not later.machine.memory.follows


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"lat_deg": 30.0},
        {"lat_deg": 30.0, "lon_deg": 519.0},
        {"lat_deg": 30.0, "lon_deg": 119.0, "speed_m_s": 900},
        {"lat_deg": 30.0, "lon_deg": 119.0, "heading_deg": "north"},
        {"lat_deg": 30.0, "lon_deg": 119.0, "ground_m": math.inf},
        {"lat_deg": 30.0, "lon_deg": 119.0, "seen_at": "2026-05-03T04:00:00"},
    ],
)
def test_a_mover_that_cannot_be_read_is_refused(value):
    """A camera is not turned on a guess."""
    with pytest.raises(PlanRefused, match="the mover cannot be read"):
        mover_from(value, AT)


def test_pictures_of_a_mover_are_no_planned_ones():
    """Shots 1 and 2 were spent on it: they are left for the rest, and those behind keep their numbers."""
    ledger = PictureLedger(PLACES, counted={100: 0})
    spent = {1: 1, 2: 1, 3: 1, 4: 2, 5: 2}  # picture -> the planned place it was taken nearest to
    for index, shot in {0: 0, **spent, 6: 3, 7: 4, 8: 5}.items():
        if index in (1, 5):
            ledger.set_aside(100, index, 1)
        ledger.add(record(index, shot))
    assert ledger.proven == {0, 3, 4, 5}
    assert ledger.taken == 4
    assert ledger.files_wanted == 10  # one is owed until the camera has counted


@pytest.mark.slow
async def test_a_simulated_drone_keeps_a_mover_in_its_pictures_and_then_flies_its_plan(tmp_path):
    """Over the wire: each picture of that time looks where the mover goes, each later one straight down."""
    site, sink = load_site(SITE), Pictures()
    flies = eastward(site, tmp_path / "plan.json")
    start = moved(moved(flies.dock.place, 90.0, 20.0), 0.0, 40.0)
    mover = {"lat_deg": start.lat_deg, "lon_deg": start.lon_deg, "speed_m_s": 4.0, "heading_deg": 90.0}
    ask = {"sortie": {"id": "S1"}, "action": "follow", "mover": mover, "seconds": 20.0}
    with simulator() as sim:
        async with asyncio.timeout(90.0), region(sim["drones"][0]["connect"], tmp_path, sink) as gateway:
            await sink.heard.wait()
            assert not (await gateway.command({"id": "f0", **ask}))["accepted"]
            fly = {"id": "c1", "action": "fly", "sortie": flies.to_json()}
            assert (await gateway.command(fly))["accepted"]
            dispatcher = gateway.sorties["D1"]
            machine, carrier = dispatcher.machine, dispatcher.carrier
            await until(carrier, lambda: machine.stage is Stage.FLYING)
            for command_id, action in (("p1", "pause"), ("f1", "follow"), ("r1", "resume")):
                body = ask | {"id": command_id, "action": action}
                assert await gateway.command(body) == {"id": command_id, "accepted": True, "reason": None}
                await until(carrier, lambda: carrier.state.motion.above_home_m > 45.0)
                await until(carrier, lambda: not machine.looks_aside(carrier.now()))
            await sink.over.wait()
            await gateway.settled()
    of_mover = [m["pose"] for m in sink.of("thermal") if m["shot"] >= UNPLANNED]
    looked = [LocalFrame(start).to_local(on_ground(pose, flies.dock.elevation_m)) for pose in of_mover]
    on_it = [east_m for east_m, north_m in looked if abs(north_m) < 15.0 and -15.0 < east_m < 110.0]
    assert len(on_it) >= 5, looked
    assert len(looked) - len(on_it) <= 2, looked  # while the gimbal was still turning
    assert on_it[-1] - on_it[0] > 20.0
    planned = [m for m in sink.of("thermal") if m["shot"] < UNPLANNED]
    assert all(m["pose"]["pitch_deg"] < -80.0 for m in planned)
    assert sorted(m["shot"] for m in planned) == sink.events[-1]["proven"] == list(range(SHOTS))
    told = [e for e in sink.events if "follow" in e["evidence"] or "looks ahead" in e["evidence"]]
    assert ["follows" in e for e in told] == [True, False]


async def until(carrier, what) -> None:
    """Wait for something to be seen of the drone."""
    while not what():
        await carrier.beat()


class Pictures(Sink):
    """A hub that tells the pictures of one eye."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = 1

    def of(self, sensor: str) -> list[dict]:
        """Return the pictures of one eye as they were taken."""
        return sorted((m for m in self.frames.values() if m["sensor"] == sensor), key=lambda m: m["taken_at"])


def eastward(site: Site, path: Path) -> SortieOrder:
    """Return a sortie that looks straight down each 50 m on a line to the east."""
    dock = site.dock("dock-west")

    def waypoint(east_m: float, *, shoots: bool) -> Waypoint:
        height = Altitude(dock.elevation_m + 60.0, Datum.AMSL)
        return Waypoint(moved(dock.place, 90.0, east_m), height, 60.0, 5.0, -90.0, shoots)

    shots = (waypoint(50.0 * (i + 1), shoots=True) for i in range(SHOTS))
    waypoints = (waypoint(0.0, shoots=False), *shots, waypoint(0.0, shoots=False))
    sortie = Sortie("S1", dock.id, "GP-1", waypoints, (), (), 160.0, 20.0, 40.0)
    planfile.write(Plan(site.id, 1, (sortie,), (), ()), site, path)
    return replace(order_of(planfile.read(path), "S1", drone="D1"), fence=())


@contextlib.asynccontextmanager
async def region(connect: str, folder: Path, sink: Sink):
    """Yield a gateway of one drone that tells a sink."""
    journal = Journal(folder / "journal.sqlite")
    clock = ScaledClock.starting_now(SystemClock().now(), SPEED)
    links = [DroneLink(Drone("D1", "GP-1", "dock-west", 1), connect)]
    gateway = Gateway("valley", links, docks=None, folder=folder, clock=clock, sink=sink, journal=journal)
    running = asyncio.create_task(gateway.run())
    try:
        yield gateway
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        journal.close()


def on_ground(pose: dict, ground_m: float) -> LatLon:
    """Return where the optical axis of a picture meets level ground."""
    away_m = (pose["altitude_m"] - ground_m) / math.tan(math.radians(-pose["pitch_deg"]))
    return moved(LatLon(pose["lat_deg"], pose["lon_deg"]), pose["heading_deg"], away_m)
