"""The parts of the demo that judge and listen."""

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

from api.bus_server import BusAddress
from api.demo.client import _events
from api.demo.receiver import receiving
from api.demo.score import compare
from api.demo.simulator import Simulator
from missions.errors import InputWrong
from missions.geo import LatLon, moved

HERE = LatLon(30.28, 119.42)
SECRET = "whsec_" + "A" * 43 + "="


def point(name, hazard, bearing=0.0, metres=0.0):
    place = moved(HERE, bearing, metres)
    geometry = {"type": "Point", "coordinates": [place.lon_deg, place.lat_deg]}
    return {"type": "Feature", "geometry": geometry, "properties": {"id": name, "hazard": hazard}}


def collection(*features):
    return {"type": "FeatureCollection", "features": list(features)}


def test_each_incident_is_paired_with_the_nearest_fire_once():
    """The second incident of one fire is false, however near it lies."""
    told = collection(point("i1", "fire", 90, 6), point("i2", "fire", 90, 12), point("i3", "fire", 0, 300))
    true = collection(point("f1", "fire"), point("f2", "fire", 0, 310), point("f3", "fire", 180, 500))
    score = compare(told, true)
    assert [(m.truth, m.incident, m.error_m) for m in score.found] == [("f1", "i1", 6.0), ("f2", "i3", 10.0)]
    assert (score.missed, score.false, score.recall) == (("f3",), ("i2",), pytest.approx(2 / 3))


def test_a_decoy_told_is_false_and_a_hazard_of_another_kind_is_no_match():
    told = collection(point("i1", "fire"), point("i2", "flood", 0, 200))
    true = collection(point("d1", "none"), point("f1", "fire", 0, 200))
    score = compare(told, true)
    assert (score.found, score.missed, score.false, score.decoys) == ((), ("f1",), ("i1", "i2"), 1)


def test_beyond_fifty_metres_nothing_belongs_together():
    score = compare(collection(point("i", "fire", 0, 51)), collection(point("f", "fire")))
    assert (score.missed, score.false) == (("f",), ("i",))


def test_a_flood_is_found_anywhere_on_its_ground_and_near_it():
    """The truth's point of a flood 240 m long lies at its western end; the incident's 200 m on."""
    corners = [moved(HERE, 90, m) for m in (0, 240)]
    ring = [
        (c.lon_deg, c.lat_deg + up)
        for c, up in zip((*corners, *corners[::-1]), (0, 0, 3e-4, 3e-4), strict=True)
    ]
    risen = point("w", "flood")
    risen["properties"]["outline"] = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    told = collection(point("on", "flood", 90, 200), point("off", "flood", 90, 300))
    score = compare(told, collection(risen))
    assert [(m.incident, m.error_m) for m in score.found] == [("on", 0.0)]
    assert score.false == ("off",)
    (near,) = compare(collection(point("off", "flood", 90, 270)), collection(risen)).found
    assert near.error_m == pytest.approx(30.0, abs=0.5)


async def test_the_desk_takes_what_is_signed_once_and_refuses_the_rest():
    taken = []
    with receiving(taken.append) as receiver:
        receiver.trust("forestry", SECRET)
        body = json.dumps({"id": "a1"})
        now = datetime.now(UTC)
        headers = {
            "webhook-id": "m1",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(SECRET).sign("m1", now, body),
        }
        async with httpx.AsyncClient(trust_env=False) as http:

            async def post(agency, text):
                return (await http.post(receiver.url(agency), content=text, headers=headers)).status_code

            assert [await post("forestry", body), await post("forestry", body)] == [204, 204]
            assert await post("forestry", body + " ") == 401
            assert await post("nobody", body) == 404
        await asyncio.sleep(0)
    assert [(r.agency, r.id, r.body) for r in taken] == [("forestry", "m1", {"id": "a1"})]
    assert receiver.refused == 1


async def test_the_event_stream_is_read_as_the_standard_says():
    async def lines():
        text = ": hello\nid: 7\nevent: alert\ndata: {\ndata: }\n\n\ndata: 1\n\ndata: unfinished"
        for line in text.split("\n"):
            yield line

    found = [event async for event in _events(lines())]
    assert found == [("alert", "7", "{\n}"), ("message", "7", "1")]


async def test_what_the_simulator_refuses_is_wrong_input_of_the_demo_too(tmp_path: Path) -> None:
    """Its sentence is passed on, its exit code as well."""
    told = "import sys; print('gridpatrol: scenario: found x, expected fire', file=sys.stderr); sys.exit(2)"
    simulator = Simulator([sys.executable, "-c", told], data=tmp_path, log=tmp_path / "sim.log")
    with pytest.raises(InputWrong, match=r"^scenario: found x, expected fire$"):
        await simulator.start(BusAddress("127.0.0.1", 1, 2))
