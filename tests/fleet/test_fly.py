"""The front door: what is left of an earlier flight, and what is not left behind."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from fleet.errors import LinkFailed
from fleet.fly import Flight, order_of, rest_in
from fleet.journal import Journal
from fleet.loading import rally_items
from fleet.stages import Stage
from missions.clock import SystemClock
from missions.errors import InputWrong
from missions.export import planfile, qgc
from missions.geo import Altitude, Datum, moved
from missions.model import Plan, Sortie, Waypoint
from missions.program import main
from missions.site import load_site
from tests.fleet.builders import order


def flown(folder, proven, name: str = "S1"):
    journal = Journal(folder / "journal.sqlite")
    journal.accept(f"fly-{name}", {}, order() if name == "S1" else rest_in(folder, order()))
    journal.note_proven(name, proven)
    journal.note_stage(name, Stage.FAILED)
    journal.close()


def test_the_rest_of_a_flight_is_found_in_its_folder(tmp_path):
    """And the rest of that rest, in turn."""
    flown(tmp_path, {0})
    rest = rest_in(tmp_path, order())
    assert (rest.id, sorted(rest.shot_places())) == ("S1-part2", [1, 2])
    flown(tmp_path, {1}, "S1-part2")
    again = rest_in(tmp_path, order())
    assert (again.id, sorted(again.shot_places())) == ("S1-part3", [2])


def test_a_folder_without_such_a_flight_is_said_plainly(tmp_path):
    """Nothing ended there, or nothing is left."""
    with pytest.raises(InputWrong, match="no flight of sortie S1 has ended there"):
        rest_in(tmp_path, order())
    flown(tmp_path, {0, 1, 2})
    with pytest.raises(InputWrong, match="every picture of sortie S1 is there"):
        rest_in(tmp_path, order())


def test_a_folder_in_which_another_sortie_has_not_ended_is_refused(tmp_path):
    """Its journal is all that can take it up again."""
    journal = Journal(tmp_path / "journal.sqlite")
    journal.accept("fly-S0", {}, replace(order(), id="S0"))
    journal.close()
    with pytest.raises(InputWrong, match="sortie S0 has not ended there"):
        Flight(order(), "tcp:127.0.0.1:9", folder=tmp_path, clock=SystemClock(), say=lambda text: None)
    journal = Journal(tmp_path / "journal.sqlite")
    assert [o.order.id for o in journal.open_sorties()] == ["S0"]
    journal.close()


async def test_a_flight_that_cannot_connect_leaves_no_folder(tmp_path):
    """It never began."""
    folder = tmp_path / "flights" / "S1"
    flight = Flight(order(), "tcp:127.0.0.1:9", folder=folder, clock=SystemClock(), say=lambda text: None)
    with pytest.raises(LinkFailed):
        await flight.run()
    assert not folder.exists()


async def test_a_folder_of_somebody_else_stays(tmp_path):
    """With what was in it, and nothing more."""
    (tmp_path / "notes.txt").write_text("mine")
    flight = Flight(order(), "tcp:127.0.0.1:9", folder=tmp_path, clock=SystemClock(), say=lambda text: None)
    with pytest.raises(LinkFailed):
        await flight.run()
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_what_is_logged_goes_beside_the_result(tmp_path, capsys):
    """A program that reads the one JSON value must not stumble over a warning."""
    site = Path(__file__).parents[2] / "examples" / "valley" / "site.yaml"
    plan = tmp_path / "plan.json"
    planfile.write(Plan("valley", 1, (), (), ()), load_site(site), plan)
    assert main(["fly", str(plan), "--sortie", "S9", "--connect", "tcp:127.0.0.1:9", "--json"]) == 2
    structlog.get_logger().warning("picture not fetched")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "picture not fetched" in captured.err


def test_a_sortie_is_flown_with_the_fence_and_rally_points_that_its_exported_plan_has(tmp_path):
    """One rule draws both: what QGroundControl shows is what the drone is told, and nothing beside it."""
    site = load_site(Path(__file__).parents[2] / "examples" / "valley" / "site.yaml")
    dock = site.dock("dock-west")
    over = Altitude(dock.elevation_m + 60.0, Datum.AMSL)
    waypoints = tuple(
        Waypoint(moved(dock.place, 90.0, away_m), over, 60.0, 12.0, -90.0, away_m > 0)
        for away_m in (0.0, 200.0, 0.0)
    )
    sortie = Sortie("S1", dock.id, "GP-1", waypoints, (), (), 120.0, 20.0, 40.0)
    file = planfile.of(Plan(site.id, 1, (sortie,), (), ()), site)
    (exported,) = qgc.write(file, tmp_path)
    document, told = json.loads(exported.read_text("utf-8")), order_of(file, "S1")
    fence = document["geoFence"]["polygons"]
    assert [
        (polygon["inclusion"], [tuple(corner) for corner in polygon["polygon"]]) for polygon in fence
    ] == [(z.inside, [(c.lat_deg, c.lon_deg) for c in z.corners]) for z in told.fence]
    assert fence[0]["inclusion"]
    sent = [[i.lat_deg, i.lon_deg, i.altitude_m] for i in rally_items(told)]
    assert document["rallyPoints"]["points"] == sent
    assert len(sent) == len(site.docks) - 1
    items, ways = told.flown(climbs_in_place=True)
    assert tuple(replace(item, shot=None, task=None) for item in items) == qgc.read_items(exported)
    assert ways == {}
