"""A search as Koopman reckons it: strips laid, sweep width, coverage, and the chance to find."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from missions.errors import SiteWrong
from missions.geo import Altitude, Area, Datum, LatLon, LocalFrame
from missions.model import Look, Plan, Sensor, Sortie, Task, TaskKind
from missions.searching import chance_inside, efforts, table, to_json
from missions.site import load_site
from missions.sought import PIXELS, Effort, Sought, sweep_m

VALLEY = Path("examples/valley/site.yaml")
HERE = LatLon(30.28, 119.42)
FRAME = LocalFrame(HERE)
UP = Altitude(200.0, Datum.AMSL)
DEMAND = """  - id: lost-walker
    agency: emergency
    hazards: [person]
    where: {shape: compartment-11}
    sensors: [thermal]
    height_m: 120
    revisit_min: 600
    search: SEARCH
demands-end:
"""


def square(half_m: float, east_m: float = 0.0) -> Area:
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return Area(tuple(FRAME.to_place(east_m + x * half_m, y * half_m) for x, y in corners))


def valley(folder: Path, search: str, *, where: str = "{shape: compartment-11}"):
    """Return the valley with a search for a walker as its only demand."""
    text = VALLEY.read_text("utf-8")
    head, tail = text.split("demands:\n")[0], text[text.index("\nno_fly") :]
    demand = DEMAND.replace("SEARCH", search).replace("demands-end:\n", "")
    demand = demand.replace("{shape: compartment-11}", where)
    for name in ("shapes.geojson", "valley_dem.tif"):
        (folder / name).write_bytes((VALLEY.parent / name).read_bytes())
    file = folder / "site.yaml"
    file.write_text(f"{head}demands:\n{demand}{tail}", "utf-8")
    return load_site(file)


def test_coverage_and_detection_are_koopmans():
    effort = Effort("a", 4, track_m=4_000.0, sweep_m=50.0, area_m2=200_000.0, height_m=90.0, inside=0.5)
    assert effort.coverage == pytest.approx(1.0)
    assert effort.detection == pytest.approx(1 - 1 / math.e)
    assert effort.success == pytest.approx(0.5 * (1 - 1 / math.e))
    assert replace(effort, inside=None).success is None
    assert replace(effort, track_m=0.0).detection == 0.0
    assert sweep_m(80.0, 0.72) == pytest.approx(57.6)


def test_half_of_what_lies_around_a_place_lies_on_one_side_of_it():
    sought = Sought(last_seen=HERE, within_m=500.0)
    assert chance_inside(square(5_000.0), sought) == pytest.approx(1.0)
    assert chance_inside(square(5_000.0, east_m=5_000.0), sought) == pytest.approx(0.5, abs=0.02)
    assert chance_inside(square(100.0, east_m=4_000.0), sought) == 0.0
    assert chance_inside(square(100.0), Sought()) is None


def test_nineteen_in_twenty_lie_within_the_distance_told():
    sought = Sought(last_seen=HERE, within_m=500.0)
    turn = [2 * math.pi * i / 90 for i in range(90)]
    disc = Area(tuple(FRAME.to_place(500 * math.sin(t), 500 * math.cos(t)) for t in turn))
    assert chance_inside(disc, sought) == pytest.approx(0.95, abs=0.02)


def test_a_search_is_flown_no_higher_than_shows_a_person(tmp_path):
    site = valley(tmp_path, "{}")
    (demand,) = site.demands
    focal_px = site.models[0].camera(Sensor.THERMAL).focal_px
    assert demand.sought == Sought()
    assert demand.height_m == pytest.approx(0.5 / PIXELS * focal_px)
    assert demand.height_m < 120
    larger = valley(tmp_path, "{wide_m: 4}").demands[0]
    assert larger.height_m == 120


def test_a_plan_tells_strips_and_how_likely_they_find(tmp_path):
    site = valley(tmp_path, "{last_seen: [30.281, 119.417], within_m: 400}")
    area = site.demands[0].where
    corner = area.outer[0]
    looks = tuple(
        Look(
            LatLon(corner.lat_deg, corner.lon_deg + 0.001 * i),
            UP,
            -90.0,
            ("lost-walker",),
        )
        for i in range(5)
    )
    strip = Task("t1", TaskKind.STRIP, looks, frozenset({Sensor.THERMAL}), ("lost-walker",), ("emergency",))
    sortie = Sortie("S1", "dock-west", "GP-1", (), ("t1",), ("emergency",), 60.0, 10.0, 30.0)
    (effort,) = efforts(Plan(site.id, 1, (sortie,), (strip, replace(strip, id="t2")), ()), site)
    assert effort.strips == 1, "a strip that no sortie flies is not laid"
    assert 384 < effort.track_m < 500
    assert 0 < effort.coverage < 1
    assert 0 < effort.success < effort.inside < 1
    told = to_json(effort)
    assert told["probability_of_detection"] == round(1 - math.exp(-effort.coverage), 3)
    head, row = table([effort])
    assert len(head) == len(row)
    assert table([]) == []


def test_without_flights_nothing_is_found(tmp_path):
    site = valley(tmp_path, "{}")
    (effort,) = efforts(Plan(site.id, 1, (), (), ()), site)
    assert (effort.strips, effort.detection, effort.success) == (0, 0.0, None)


@pytest.mark.parametrize(
    ("search", "where", "expected"),
    [
        ("{}", "{point: [30.28, 119.42]}", "area"),
        ("{within_m: 300}", "{shape: compartment-11}", "last_seen"),
        ("{last_seen: [130.28, 119.42]}", "{shape: compartment-11}", "latitude"),
        ("{wide_m: 0.01}", "{shape: compartment-11}", "shows from"),
        ("{recall: 1.5}", "{shape: compartment-11}", "1 or less"),
        ("{person: Li}", "{shape: compartment-11}", "only wide_m"),
    ],
)
def test_a_search_that_cannot_be_is_refused_in_plain_words(tmp_path, search, where, expected):
    with pytest.raises(SiteWrong, match=expected):
        valley(tmp_path, search, where=where)
