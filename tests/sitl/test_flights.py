"""Flights on a real ArduCopter: name its SITL binary in GRIDPATROL_SITL."""

import asyncio
from dataclasses import replace
from datetime import datetime

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from fleet.autopilots import Step
from fleet.link import Link
from fleet.mavlink import MavlinkCarrier, listen
from fleet.messages import Command, ParameterSet
from fleet.order import FRAME_ABOVE_TERRAIN, SortieOrder
from fleet.zones import Landing, Zone
from missions.clock import ScaledClock, SystemClock
from missions.geo import LatLon, bearing_deg, distance_m, moved
from missions.items import NAV_TAKEOFF, NAV_WAYPOINT
from missions.terrain import Terrain
from tests.sitl.conftest import SHOTS
from tests.sitl.copter import BINARY, PATIENCE_S, SPEED, copter, radio, region

pytestmark = [
    pytest.mark.sitl,
    pytest.mark.slow,
    pytest.mark.skipif(
        not BINARY, reason="flies a real ArduCopter: set GRIDPATROL_SITL to its SITL binary to run it"
    ),
]

_DO_SET_MODE = 176
_AUTO = 3


class Air:
    """One vehicle spoken to without a gateway, for what a gateway does in pieces."""

    def __init__(self, connect: str) -> None:
        self.link = Link(connect)
        self.carrier = MavlinkCarrier(
            self.link, ScaledClock.starting_now(SystemClock().now(), SPEED), system=1
        )

    async def __aenter__(self) -> "Air":
        await self.link.open()
        self._tasks = [
            asyncio.create_task(listen(self.link, [self.carrier])),
            asyncio.create_task(self.carrier.run()),
        ]
        await self.until(lambda: self.carrier.state and self.carrier.state.ready_to_arm)
        await self.until(lambda: self.carrier.state.has_position)
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until(self, what) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not what():
                await self.carrier.beat()

    async def load(self, order: SortieOrder):
        """Put an order on board and return how that ended."""
        self.carrier.begin(order)
        self.carrier.load()
        await self.until(lambda: self.carrier.progress().upload is not None)
        return self.carrier.progress().upload

    async def keep_doing(self, step: Step, what) -> None:
        """Order a step each second until it shows."""
        while not what():
            self.carrier.do(step)
            since = self.carrier.now()
            await self.until(lambda began=since: what() or self.carrier.now() - began > 1.0)


async def test_upload_and_verify(order, vehicle):
    """Mission, fence, rally points and ways to land: read back; the second time the look is enough."""
    whole = replace(order, fence=_around(order, 600.0), landings=(_meadow(order),))
    async with Air(vehicle) as air:
        for uploaded in (True, False):
            proof = await air.load(whole)
            assert (proof.verified, proof.uploaded) == (True, uploaded), proof
        changed = replace(
            whole, items=(*order.items[:3], replace(order.items[3], altitude_m=41.0), *order.items[4:])
        )
        proof = await air.load(changed)
        assert (proof.verified, proof.uploaded) == (True, True), proof


async def test_shots(order, vehicle, tmp_path):
    """Every picture taken, home within a metre; failsafes and the plan's speeds were set first."""
    async with region(vehicle, tmp_path) as flown:
        await flown.tell("fly", order)
        last = await flown.hub.over("S1")
    hub = flown.hub
    assert last["shots"] == {"planned": SHOTS, "taken": SHOTS, "files": 0}
    assert last["proven"] == list(range(SHOTS))
    assert last["landed_from_dock_m"] < 1.0
    assert hub.told("S1") == [
        *("preflight", "uploading", "verified", "armed", "flying", "returning", "landed", "done")
    ]
    changed = hub.evidence("S1", "uploading")
    assert "FS_GCS_ENABLE 0 → 1" in changed
    assert "WPNAV_SPEED_UP 250 → 400" in changed
    assert max(s["speed_m_s"] or 0.0 for s in hub.states) < 12.5


async def test_pause(order, vehicle, tmp_path):
    """It stays in AUTO, holds its height, and no picture is missing in the end."""
    async with region(vehicle, tmp_path) as flown:
        hub = flown.hub
        await flown.tell("fly", order)
        await hub.until(lambda: hub.height_m > 30.0)
        await flown.tell("pause", order)
        await hub.until(lambda: "paused" in hub.evidence("S1", "flying"))
        # It is refused while it takes off, and asked again until it is taken.
        await hub.until(lambda: hub.height_m > 35.0 and (hub.states[-1]["speed_m_s"] or 0.0) < 0.5)
        seen = len(hub.states)
        await hub.until(lambda: len(hub.states) >= seen + 6)
        hovering = hub.states[-3:]
        await flown.tell("resume", order)
        last = await hub.over("S1")
    assert {s["mode"] for s in hovering} == {"AUTO"}
    assert max(s["speed_m_s"] for s in hovering) < 1.0
    heights = [s["above_home_m"] for s in hovering]
    assert max(heights) - min(heights) < 1.0
    assert min(heights) > 25.0
    assert last["shots"]["taken"] == SHOTS
    assert last["landed_from_dock_m"] < 1.0


async def test_recall(order, vehicle, tmp_path):
    """By RTL, with the pictures taken so far."""
    async with region(vehicle, tmp_path) as flown:
        hub = flown.hub
        await flown.tell("fly", order)
        await hub.until(lambda: hub.height_m > 30.0)
        await flown.tell("recall", order)
        last = await hub.over("S1")
    assert "recalled by a person" in hub.evidence("S1", "returning")
    assert last["shots"]["taken"] < SHOTS
    assert last["landed_from_dock_m"] < 1.0
    assert "RTL" in {s["mode"] for s in hub.states}


async def test_resume_from_item_n(order, vehicle, tmp_path):
    """Recalled after its second picture; the rest is a sortie of its own, and no shot is missed."""
    async with region(vehicle, tmp_path) as flown:
        hub = flown.hub
        await flown.tell("fly", order)
        await hub.until(lambda: hub.away_m(order.dock.place) > 85.0)
        await flown.tell("recall", order)
        first = await hub.over("S1")
        await flown.tell("resume_from", order, **{"as": {"id": "S1-2"}})
        second = await hub.over("S1-2")
    assert 0 < len(first["proven"]) < SHOTS
    assert sorted(first["proven"] + second["proven"]) == list(range(SHOTS))
    assert second["shots"]["taken"] == second["shots"]["planned"] == SHOTS - len(first["proven"])
    assert second["landed_from_dock_m"] < 1.0


async def test_resume_by_setting_the_current_item(order, vehicle):
    """The autopilot's own way: DO_SET_MISSION_CURRENT, GUIDED, arm, NAV_TAKEOFF, AUTO."""
    async with Air(vehicle) as air:
        carrier = air.carrier
        assert (await air.load(order)).verified
        third = next(n for n, i in enumerate(order.items, start=1) if i.shot == 2) - 1
        carrier.do(Step.READY)
        await air.until(lambda: carrier.mode_name == "GUIDED")
        carrier.order(Command(224, (float(third), 0, 0, 0, 0, 0, 0)))
        await air.until(lambda: carrier.state.current == third)
        carrier.do(Step.ARM)
        await air.until(lambda: carrier.state.armed)
        carrier.order(Command(NAV_TAKEOFF, (0, 0, 0, 0, 0, 0, 20.0)))
        await air.until(lambda: carrier.state.motion.above_home_m > 18.0)
        carrier.order(Command(_DO_SET_MODE, (1.0, _AUTO, 0, 0, 0, 0, 0)))
        seen: set[int] = set()

        def over() -> bool:
            seen.add(carrier.state.current)
            return carrier.state.armed is False

        await air.until(over)
    assert min(seen) == third


async def test_replace_in_flight(order, vehicle):
    """Held in GUIDED, a new mission put on board and proven, then flown from its first waypoint."""
    north = moved(order.dock.place, 0.0, 60.0)
    detour = replace(
        order.items[3], lat_deg=round(north.lat_deg, 7), lon_deg=round(north.lon_deg, 7), altitude_m=30.0
    )
    assert detour.command == NAV_WAYPOINT
    other = replace(order, id="S2", items=(order.items[0], detour, order.items[-1]), shots=0)
    async with Air(vehicle) as air:
        carrier = air.carrier
        assert (await air.load(order)).verified
        await air.keep_doing(Step.READY, lambda: carrier.mode_name == "GUIDED")
        await air.keep_doing(Step.ARM, lambda: carrier.state.armed)
        await air.keep_doing(Step.START, lambda: carrier.state.motion.above_home_m > 25.0)
        await air.keep_doing(Step.READY, lambda: carrier.mode_name == "GUIDED")
        proof = await air.load(other)
        assert (proof.verified, proof.uploaded) == (True, True)
        carrier.jump(2)
        await air.until(lambda: carrier.mode_name == "AUTO" and carrier.state.current == 2)
        nearest: list[float] = []

        def landed() -> bool:
            motion = carrier.state.motion
            nearest.append(distance_m(LatLon(motion.lat_deg, motion.lon_deg), north))
            return carrier.state.armed is False

        await air.until(landed)
    assert min(nearest) < 3.0


async def test_fence(order, vehicle, tmp_path):
    """Led out by another ground station's order it turns back by itself and lands in its dock."""
    fenced = replace(order, fence=_around(order, 260.0))
    async with region(vehicle, tmp_path) as flown:
        hub = flown.hub
        carrier = flown.gateway.carriers["D1"]
        await flown.tell("fly", fenced)
        await hub.until(lambda: hub.height_m > 30.0)
        carrier.do(Step.READY)
        await hub.until(lambda: hub.states[-1]["mode"] == "GUIDED")
        while hub.states[-1]["mode"] == "GUIDED":
            _push_south(carrier)
            await carrier.beat()
        last = await hub.over("S1")
    assert "a fence of 1" in hub.evidence("S1", "verified")
    assert "FENCE_ENABLE 0 → 1" in hub.evidence("S1", "uploading")
    assert "fence" in hub.evidence("S1", "returning").lower()
    farthest = max(
        distance_m(LatLon(s["lat_deg"], s["lon_deg"]), order.dock.place) for s in hub.states if s["lat_deg"]
    )
    assert 180.0 < farthest < 320.0
    assert last["landed_from_dock_m"] < 1.0


async def test_rally(order, vehicle, tmp_path):
    """Recalled where a rally point is nearer than the dock it lands there, and that is told."""
    meadow = _meadow(order)
    async with region(vehicle, tmp_path) as flown:
        hub = flown.hub
        await flown.tell("fly", replace(order, landings=(meadow,)))
        await hub.until(lambda: hub.away_m(order.dock.place) > 130.0)
        await flown.tell("recall", order)
        last = await hub.over("S1")
    assert last["landed_at"]["id"] == "meadow"
    assert hub.away_m(meadow.place) < 2.0
    assert "1 rally points" in hub.evidence("S1", "verified")


async def test_divert(order, vehicle, tmp_path):
    """To a landing whose way is on board: up, over it, down on it, without an upload in the air."""
    east = moved(order.dock.place, 90.0, 150.0)
    other = Landing("dock-east", "dock", east.lat_deg, east.lon_deg, order.dock.elevation_m)
    async with region(vehicle, tmp_path) as flown:
        hub = flown.hub
        await flown.tell("fly", replace(order, landings=(other,)))
        await hub.until(lambda: hub.away_m(order.dock.place) > 60.0)
        await flown.tell("divert", order, to="dock-east")
        last = await hub.over("S1")
    assert last["landed_at"]["id"] == "dock-east"
    assert hub.away_m(other.place) < 1.0
    assert {"AUTO"} == {s["mode"] for s in hub.states if (s["above_home_m"] or 0.0) > 5.0}


async def test_abort(order, vehicle, tmp_path):
    """Sent down where it is: the sortie fails with the place, so that somebody can fetch it."""
    async with region(vehicle, tmp_path) as flown:
        hub = flown.hub
        await flown.tell("fly", order)
        await hub.until(lambda: hub.away_m(order.dock.place) > 60.0)
        await flown.tell("abort", order)
        last = await hub.failed("S1")
    assert last["landed_at"]["kind"] == "open ground"
    assert f"{last['landed_at']['lat_deg']:.6f}" in last["evidence"]
    assert last["landed_from_dock_m"] > 50.0


async def test_low_battery(order, vehicle, tmp_path):
    """The autopilot comes home by itself, and the reason it gave is told."""
    async with region(vehicle, tmp_path) as flown:
        hub = flown.hub
        carrier = flown.gateway.carriers["D1"]
        await flown.tell("fly", order)
        await hub.until(lambda: hub.height_m > 30.0)
        _set(carrier, "BATT_LOW_VOLT", 60.0)
        last = await hub.over("S1")
    assert "battery" in hub.evidence("S1", "returning").lower()
    assert last["landed_from_dock_m"] < 1.0
    assert last["shots"]["taken"] < SHOTS


async def test_critical_battery(order, vehicle, tmp_path):
    """It lands where it is, and the place is told."""
    async with region(vehicle, tmp_path) as flown:
        hub = flown.hub
        carrier = flown.gateway.carriers["D1"]
        await flown.tell("fly", order)
        await hub.until(lambda: hub.away_m(order.dock.place) > 60.0)
        _set(carrier, "BATT_CRT_VOLT", 60.0)
        last = await hub.failed("S1")
    assert "battery" in hub.evidence("S1", "returning").lower()
    assert last["landed_at"]["kind"] == "open ground"


async def test_link_loss(order, vehicle, tmp_path):
    """Silent for 30 s each way: lost is not landed, it flies on, and every picture is known."""
    async with radio(vehicle) as (air, connect), region(connect, tmp_path) as flown:
        hub = flown.hub
        await flown.tell("fly", order)
        await hub.until(lambda: hub.away_m(order.dock.place) > 60.0)
        air.silent = True
        await hub.until(lambda: hub.states[-1]["state"] == "lost")
        await asyncio.sleep(20.0 / SPEED)
        assert "landed" not in hub.told("S1")
        air.silent = False
        last = await hub.over("S1")
    told = hub.evidence("S1", "flying") + hub.evidence("S1", "returning")
    assert "not heard for 10 s" in told
    assert "heard again" in told
    assert last["shots"]["taken"] == SHOTS
    assert last["landed_from_dock_m"] < 1.0


async def test_restarted_gateway(order, vehicle, tmp_path):
    """The drone flies on alone; pictures taken meanwhile are known by the autopilot's numbers."""
    async with region(vehicle, tmp_path) as flown:
        await flown.tell("fly", order)
        await flown.hub.until(lambda: flown.hub.away_m(order.dock.place) > 60.0)
    await asyncio.sleep(8.0 / SPEED)
    async with region(vehicle, tmp_path) as flown:
        last = await flown.hub.over("S1")
    assert "re-attached in AUTO, nothing sent" in flown.hub.evidence("S1", "flying")
    assert last["shots"]["taken"] == SHOTS
    assert last["landed_from_dock_m"] < 1.0


async def test_terrain(order, vehicle, tmp_path, valley):
    """Heights above the ground below: armed once it was told the ground, and kept over the slope."""
    terrain = Terrain.open(valley.terrain)

    def above_ground(item):
        return replace(item, frame=FRAME_ABOVE_TERRAIN) if item.command == NAV_WAYPOINT else item

    items = tuple(above_ground(i) for i in order.items)
    async with region(vehicle, tmp_path, terrain=terrain) as flown:
        hub = flown.hub
        await flown.tell("fly", replace(order, items=items))
        last = await hub.over("S1")
    cruising = [
        s for s in hub.states if s["mode"] == "AUTO" and s["lat_deg"] and (s["speed_m_s"] or 0.0) > 3.0
    ]
    assert cruising
    heights = [s["altitude_m"] - float(terrain.elevation_m(s["lat_deg"], s["lon_deg"])) for s in cruising]
    assert all(abs(h - 40.0) < 8.0 for h in heights), heights
    assert last["shots"]["taken"] == SHOTS
    assert last["landed_from_dock_m"] < 1.0


async def test_turned_looks(turned, tmp_path):
    """Each look from beside is taken standing still, nose to its bearing, for as long as it asks for."""
    order, sortie = turned
    with copter(order, tmp_path) as connect:
        async with region(connect, tmp_path) as flown:
            hub = flown.hub
            await flown.tell("fly", order)
            last = await hub.over(order.id)
    assert "a fence of 1" in hub.evidence(order.id, "verified")
    assert last["shots"]["taken"] == len(sortie.shots) == 2
    for look in sortie.shots:
        there = [
            s
            for s in hub.states
            if s["lat_deg"]
            and s["mode"] == "AUTO"
            and distance_m(LatLon(s["lat_deg"], s["lon_deg"]), look.place) < 3.0
            and (s["speed_m_s"] or 0.0) < 1.0
        ]
        begin, end = (datetime.fromisoformat(s["at"]) for s in (there[0], there[-1]))
        assert (end - begin).total_seconds() >= look.dwell_s - 2.0
        assert abs((there[-1]["heading_deg"] - look.heading_deg + 180) % 360 - 180) < 5.0
    assert last["landed_from_dock_m"] < 1.0


async def test_twenty_times_as_fast(order, tmp_path):
    """All waits are simulated seconds: at speed 20 nothing times out and nothing is missed."""
    with copter(order, tmp_path, speed=20.0) as connect:
        async with region(connect, tmp_path, speed=20.0) as flown:
            await flown.tell("fly", order)
            last = await flown.hub.over("S1")
    assert last["shots"]["taken"] == SHOTS
    assert last["landed_from_dock_m"] < 1.0
    assert {"AUTO", "GUIDED"} >= {s["mode"] for s in flown.hub.states if s["armed"]}


async def test_again_without_an_upload(order, vehicle, tmp_path):
    """The mission of the first flight is read back, equal, and flown from its beginning."""
    again = replace(order, id="S2")
    async with region(vehicle, tmp_path) as flown:
        hub = flown.hub
        await flown.tell("fly", order)
        await hub.over("S1")
        await flown.tell("fly", again)
        second = await hub.over("S2")
    assert "on board already" not in hub.evidence("S1", "verified")
    assert "on board already" in hub.evidence("S2", "verified")
    assert "all parameters right" in hub.evidence("S2", "uploading")
    assert second["shots"]["taken"] == SHOTS
    assert second["landed_from_dock_m"] < 1.0


def _push_south(carrier: MavlinkCarrier) -> None:
    """Steer a drone in GUIDED to the south at 8 m/s for a moment, as another ground station would.

    A place outside the fence it would refuse; a speed it takes.
    """
    stranger = mavlink.MAVLink(None, srcSystem=254, srcComponent=190)
    only_speed = 0b110111000111
    order = mavlink.MAVLink_set_position_target_local_ned_message(
        *(0, 1, 1, mavlink.MAV_FRAME_LOCAL_NED, only_speed, 0, 0, 0, -8.0, 0, 0, 0, 0, 0, 0, 0)
    )
    assert carrier.link._pipe is not None
    carrier.link._pipe.send(bytes(order.pack(stranger)), 1)


def _set(carrier: MavlinkCarrier, name: str, value: float) -> None:
    for _ in range(3):  # the loopback loses little, a simulator that runs ten times as fast a little more
        carrier.link.send(ParameterSet(name, value, 9), 1)


def _meadow(order: SortieOrder) -> Landing:
    """Return a rally point past the last picture, nearer to it than the dock."""
    place = moved(order.dock.place, 45.0, 190.0)
    return Landing("meadow", "rally", place.lat_deg, place.lon_deg, order.dock.elevation_m)


def _around(order: SortieOrder, radius_m: float) -> tuple[Zone, ...]:
    corners = tuple(
        moved(order.dock.place, bearing, radius_m) for bearing in (0.0, 60.0, 120.0, 180.0, 240.0, 300.0)
    )
    return (Zone(True, corners),)


async def test_follow(order, vehicle, tmp_path):
    """It turns to a mover beside its way in AUTO, takes pictures of it, and flies the rest as planned."""
    place = moved(order.dock.place, 315.0, 120.0)
    mover = {"lat_deg": place.lat_deg, "lon_deg": place.lon_deg, "ground_m": order.dock.elevation_m}
    async with region(vehicle, tmp_path) as flown:
        hub = flown.hub
        await flown.tell("fly", order)
        await hub.until(lambda: hub.away_m(order.dock.place) > 20.0)
        before = len(hub.states)
        await flown.tell("follow", order, mover=mover, seconds=8.0)
        await hub.until(lambda: "looks ahead" in hub.evidence("S1", "flying"))
        turned = hub.states[before:]
        last = await hub.over("S1")
    off_deg = [
        (s["heading_deg"] - bearing_deg(LatLon(s["lat_deg"], s["lon_deg"]), place) + 180.0) % 360.0 - 180.0
        for s in turned
    ]
    assert min(abs(off) for off in off_deg) < 8.0, off_deg
    assert {s["mode"] for s in turned} == {"AUTO"}
    assert 0 < len(last["proven"]) < SHOTS
    assert last["shots"]["taken"] < SHOTS
    assert last["landed_from_dock_m"] < 1.0
