"""What a gateway accepts, remembers and hands over; its flights are in test_end_to_end."""

import asyncio
import contextlib
from dataclasses import replace

import pytest

from fleet.docks.mqtt import MqttDocks
from fleet.frames import Frames, Haul, sensor_of
from fleet.gateway import DroneLink, Gateway
from fleet.journal import Journal
from fleet.stages import Stage, Wish
from missions.clock import SystemClock
from missions.errors import InputWrong
from missions.model import Drone
from tests.fleet.builders import order
from tests.fleet.test_media import answer, camera
from tests.fleet.test_pictures import record


class Sink:
    """Takes everything, or refuses the first few."""

    def __init__(self, refuses: int = 0) -> None:
        self.refuses = refuses
        self.events: list[dict] = []
        self.over = asyncio.Event()

    async def telemetry(self, drone_id, state):
        raise OSError("the uplink is cut")

    async def dock(self, dock_id, state):
        pass

    async def sortie(self, event):
        if self.refuses:
            self.refuses -= 1
            raise OSError("the uplink is cut")
        self.events.append(event)
        if event["state"] == "failed":
            self.over.set()

    async def frame(self, meta, path):
        pass


@contextlib.asynccontextmanager
async def gateway(folder, sink=None, *, runs: bool = True):
    """Yield a gateway whose one drone never answers."""
    journal = Journal(folder / "journal.sqlite")
    # Port 9 is "discard": nothing listens there, so the link keeps trying.
    links = [DroneLink(Drone("D1", "GP-1", "dock-east", 1), "tcp:127.0.0.1:9")]
    built = Gateway(
        "valley",
        links,
        docks=None,
        folder=folder,
        clock=SystemClock(),
        sink=sink or Sink(),
        journal=journal,
    )
    running = asyncio.create_task(built.run()) if runs else None
    await asyncio.sleep(0.05)
    try:
        yield built
    finally:
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        journal.close()


def fly(command_id: str = "c1", **values) -> dict:
    return {"id": command_id, "action": "fly", "sortie": order().to_json() | values}


async def test_an_error_in_one_sortie_ends_neither_the_gateway_nor_that_sortie(tmp_path, monkeypatch):
    """It is taken up again as after a restart."""
    monkeypatch.setattr("fleet.dispatcher._HEARD_WITHIN_S", 0.2)
    async with gateway(tmp_path, sink := Sink()) as built:
        begin, faults = built.carriers["D1"].begin, [RuntimeError("not foreseen")]
        monkeypatch.setattr(
            built.carriers["D1"],
            "begin",
            lambda told: (_ for _ in ()).throw(faults.pop()) if faults else begin(told),
        )
        assert (await built.command(fly()))["accepted"]
        built.sorties["D1"].wish(Wish.RECALL)
        async with asyncio.timeout(60):
            await sink.over.wait()
        assert not faults
        assert (await built.command(fly("c2", id="S2")))["accepted"]


async def test_a_door_stays_open_for_another_drone_that_is_to_pass_it(tmp_path):
    async with gateway(tmp_path) as built:
        await built.command(fly())
        flying = built.sorties["D1"]
        needs = []
        for flying.machine.stage in (Stage.STARTING, Stage.FLYING, Stage.RETURNING):
            needs.append(built._around.needs_door(flying.machine.dock_id, "S2"))
        assert needs == [True, False, True]
        assert not built._around.needs_door(flying.machine.dock_id, "S1")


async def test_the_same_command_twice_is_answered_alike_and_done_once(tmp_path):
    """Also after a restart."""
    async with gateway(tmp_path) as first:
        assert await first.command(fly()) == {"id": "c1", "accepted": True, "reason": None}
        dispatcher = first.sorties["D1"]
        assert await first.command(fly()) == {"id": "c1", "accepted": True, "reason": None}
        assert first.sorties["D1"] is dispatcher
    async with gateway(tmp_path) as second:
        assert await second.command(fly()) == {"id": "c1", "accepted": True, "reason": None}


async def test_a_sortie_cut_short_by_a_restart_is_taken_up(tmp_path):
    """It is under way again before anybody asks."""
    async with gateway(tmp_path) as first:
        await first.command(fly())
    async with gateway(tmp_path) as second:
        assert second.sorties["D1"].order == order()
        refused = await second.command(fly("c2"))
        assert "started here before" in refused["reason"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"action": "fly"}, "needs an id"),
        ({"id": "x", "action": "dance"}, "is not one of fly, recall, pause, resume, divert, abort"),
        ({"id": "x", "action": "recall", "sortie": {"id": "S9"}}, "is not under way"),
        ({"id": "x", "action": "fly", "sortie": {}}, "cannot be read"),
        ({"id": "x", "action": "resume_from", "sortie": {"id": "S9"}}, "no sortie 'S9' has ended here"),
        (fly("x", drone="D7"), "has no drone D7"),
        (fly("x", items=[]), "no items"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_the_reason(tmp_path, body, reason):
    """And flies nothing."""
    async with gateway(tmp_path) as built:
        reply = await built.command(body)
        assert not reply["accepted"]
        assert reason in reply["reason"]
        assert built.sorties == {}


async def test_what_a_sortie_left_is_flown_by_another_id(tmp_path):
    """By the journal's own word; nothing is flown where nothing is missing."""
    async with gateway(tmp_path) as built:
        await built.command(fly())
        journal = Journal(tmp_path / "journal.sqlite")
        built.sorties["D1"].machine.stage = Stage.FAILED
        journal.note_proven("S1", {0, 2})
        journal.note_stage("S1", Stage.FAILED)
        journal.close()
        body = {"action": "resume_from", "sortie": {"id": "S1"}, "as": {"id": "S1-2"}}
        none_left = body | {"id": "r1", "as": {"id": "S1-3", "proven": [1]}}
        assert "every picture of sortie S1 is there" in (await built.command(none_left))["reason"]
        assert (await built.command(body | {"id": "r2"}))["accepted"]
        rest = built.sorties["D1"].order
        assert (rest.id, rest.shots, sorted(rest.shot_places())) == ("S1-2", 1, [1])


async def test_a_recall_promised_before_a_kill_is_kept(tmp_path):
    """It is on disk when the answer goes out."""
    async with gateway(tmp_path) as built:
        await built.command(fly())
        built.sorties["D1"].machine.stage = Stage.FLYING
        assert built.sorties["D1"].wish(Wish.RECALL) is None
        journal = Journal(tmp_path / "journal.sqlite")
        (kept,) = journal.open_sorties()
        journal.close()
    assert kept.memory.wishes == ((Wish.RECALL, ""),)


async def test_a_busy_drone_is_not_given_a_second_sortie(tmp_path):
    """It says which one it flies."""
    async with gateway(tmp_path) as built:
        await built.command(fly())
        reply = await built.command(fly("c2", id="S2"))
        assert "busy with sortie S1" in reply["reason"]


async def test_before_it_runs_nothing_is_accepted(tmp_path):
    """And nothing is remembered: the same command may come again."""
    async with gateway(tmp_path, runs=False) as built:
        assert "starting" in (await built.command(fly()))["reason"]


async def test_a_recall_on_the_ground_ends_the_sortie_and_every_event_is_told(tmp_path):
    """Though the uplink was cut at first, in order."""
    sink = Sink(refuses=1)
    async with gateway(tmp_path, sink) as built:
        await built.command(fly())
        recall = {"id": "c2", "action": "recall", "sortie": {"id": "S1"}}
        assert (await built.command(recall))["accepted"]
        async with asyncio.timeout(5):
            await sink.over.wait()
            await built.settled()
        assert built.sorties["D1"].machine.stage is Stage.FAILED
    assert [e["state"] for e in sink.events] == ["preflight", "failed"]
    assert "recalled by a person before take-off" in sink.events[-1]["evidence"]


async def test_a_drone_never_heard_is_lost_in_telemetry(tmp_path):
    """Not docked, not landed."""
    async with gateway(tmp_path) as built:
        state = built.telemetry("D1")
        assert state["state"] == "lost"
        assert state["lat_deg"] is None


async def test_a_spooled_frame_survives_a_kill_and_is_handed_over_once(tmp_path):
    """Fetched once, though the record comes again; those of one name or shot with their own bytes."""
    fetched, given = [], {}

    class Media:
        async def fetch(self, url, into):
            fetched.append(url)
            into.write_bytes(url.encode())

    async def refuse(meta, path):
        await all_here.wait()
        raise OSError("the uplink is cut")

    async def accept(meta, path):
        await all_here.wait()
        given[meta["name"]] = (meta["shot"], meta["sensor"], meta["bytes"], path.read_bytes())

    for hand_over in (refuse, accept):
        all_here = asyncio.Barrier(4)
        journal = Journal(tmp_path / "journal.sqlite")
        frames = Frames(
            gateway="valley",
            folder=tmp_path / "spool",
            clock=SystemClock(),
            media=Media(),
            journal=journal,
            hand_over=hand_over,
        )
        haul = Haul("S1", "D1")
        running = asyncio.create_task(frames.run())
        for i, shot in enumerate((0, 1, 1)):
            frames.want(haul, replace(record(i, 0, camera=101), url=f"http://{i}/A.TIF"), shot)
        async with asyncio.timeout(5):
            await all_here.wait()
            if hand_over is accept:
                await frames.empty()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        left = journal.frames_to_hand_over()
        journal.close()
    assert len(fetched) == 3
    assert left == []
    own = [(shot, "thermal", 14, b"http://%d/A.TIF" % i) for i, shot in enumerate((0, 1, 1))]
    assert sorted(given.values()) == own
    assert not list((tmp_path / "spool").rglob("*.*"))


async def test_an_odd_record_stops_no_other(tmp_path):
    """Without an address its picture is lost; a time that is no date is our own."""
    sink, haul, given = Sink(), Haul("S1", "D1"), asyncio.Queue()
    sink.frame = lambda meta, _: given.put(meta)
    async with camera([answer("200 OK", b"jpeg")]) as (base, _), gateway(tmp_path, sink) as built:
        built.frames.want(haul, replace(record(0, 0), url="http://["), 0)
        built.frames.want(haul, replace(record(1, 1), url=base, taken_us=10**18), 1)
        assert (await asyncio.wait_for(given.get(), 5))["shot"] == 1
    assert list(haul.lost) == [(100, 0)]


async def test_what_the_hub_refuses_is_tried_again_behind_the_others(tmp_path):
    """As many as there are workers."""
    sink, given, refused = Sink(), asyncio.Queue(), {0, 1, 2, 3}

    async def frame(meta, path):
        if meta["shot"] in refused:
            raise OSError("400")
        given.put_nowait(meta["shot"])

    sink.frame = frame
    async with camera([answer("200 OK", b"jpeg")]) as (base, _), gateway(tmp_path, sink) as built:
        for shot in range(6):
            built.frames.want(Haul("S1", "D1"), replace(record(shot, shot), url=base), shot)
        async with asyncio.timeout(5):
            assert {await given.get(), await given.get()} == {4, 5}
            refused.clear()
            await built.frames.empty()
    assert given.qsize() == 4


def test_the_sensor_is_told_by_the_camera_or_else_by_the_file():
    """Component 100 is the first camera."""
    assert sensor_of(record(0, 0, camera=100)) == "rgb"
    assert sensor_of(record(0, 0, camera=101)) == "thermal"
    assert sensor_of(record(0, 0, camera=102)) == "rgb"


@pytest.mark.parametrize("url", ["http://x:1", "mqtt://", "docks"])
def test_a_wrong_broker_is_said(url):
    """With the form that works, and without the password."""
    with pytest.raises(InputWrong, match="mqtt://user:password@host:port"):
        MqttDocks(url, SystemClock())
