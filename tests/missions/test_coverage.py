"""Demands to looks: everything is seen, once where once will do, and credited to all who asked."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely

from missions.coverage import tasks_of
from missions.footprint import Footprint
from missions.geo import Area, Corridor, LocalFrame
from missions.model import Demand, Hazard, NoFly, Sensor, Site, Task, TaskKind
from missions.site import load_site
from missions.terrain import Terrain
from tests.missions.tiny import FIRE, FRAME, RGB, THERMAL, square

ROOT = Path(__file__).parents[2]

# Half fields of view of the cameras by their data sheets: 640 x 512 pixels of 12 um behind 9.1 mm,
# and 4.8 mm x 3.6 mm behind 4.5 mm.
ACROSS, ALONG = 640 * 0.012 / 2 / 9.1, 512 * 0.012 / 2 / 9.1
RGB_ACROSS, RGB_ALONG = 4.8 / 2 / 4.5, 3.6 / 2 / 4.5


def unseen(
    demand: Demand, tasks: tuple[Task, ...], terrain: Terrain, margin_m: float, frame: LocalFrame = FRAME
) -> int:
    """Return how many random points of a demand no strip's picture shows, projected independently."""
    rng = np.random.default_rng(5)
    where = demand.where
    assert isinstance(where, Area | Corridor)
    half_across, half_along = (ACROSS, ALONG) if Sensor.THERMAL in demand.sensors else (RGB_ACROSS, RGB_ALONG)
    shape = frame.polygon(where) if isinstance(where, Area) else frame.line(where.line).buffer(
        where.half_width_m, cap_style="flat"
    )  # fmt: skip
    left, bottom, right, top = shape.bounds
    x, y = rng.uniform(left, right, 4000), rng.uniform(bottom, top, 4000)
    x, y = x[inside := shapely.contains_xy(shape, x, y)], y[inside]
    z = terrain.elevation_m(*frame.lat_lon(x, y))
    seen = np.zeros(len(x), dtype=bool)
    for task in tasks:
        places = np.array([frame.to_local(k.place) for k in task.looks])
        for k, look in enumerate(task.looks):
            depth = look.altitude.metres - z
            dx, dy = x - places[k, 0], y - places[k, 1]
            if task.kind is TaskKind.POINT:
                seen |= np.hypot(dx, dy) < half_along * depth - margin_m
                continue
            ahead = places[k] - places[k - 1] if k else places[1] - places[0]
            angle = math.atan2(ahead[0], ahead[1])
            across = np.abs(dx * math.cos(angle) - dy * math.sin(angle))
            along = np.abs(dx * math.sin(angle) + dy * math.cos(angle))
            seen |= (across < half_across * depth - margin_m) & (along < half_along * depth - margin_m)
    return int((~seen).sum())


@pytest.fixture(scope="module")
def tasks(site: Site, terrain: Terrain) -> tuple[Task, ...]:
    found, left = tasks_of(site, terrain)
    assert left == ()
    return found


def test_every_place_of_every_demand_is_in_a_picture_with_a_margin(
    site: Site, terrain: Terrain, tasks: tuple[Task, ...]
) -> None:
    for demand in site.demands:
        assert unseen(demand, tasks, terrain, margin_m=4.0) == 0, demand.id


def test_each_look_is_at_the_height_asked_for_over_its_ground(
    terrain: Terrain, tasks: tuple[Task, ...]
) -> None:
    for look in (look for task in tasks for look in task.looks):
        assert look.altitude.metres - terrain.elevation_at(look.place) == pytest.approx(120, abs=0.1)


def test_ground_two_agencies_want_is_looked_at_once_and_credited_to_both(
    site: Site, terrain: Terrain, tasks: tuple[Task, ...]
) -> None:
    shared = [t for t in tasks if {"forestry", "emergency"} <= set(t.agencies)]
    assert shared
    assert all(t.is_shared for t in shared)
    together = sum(len(t.looks) for t in tasks)
    alone = sum(len(t.looks) for d in site.demands for t in tasks_of(site, terrain, [d])[0])
    assert together < 0.9 * alone


def test_a_task_carries_the_sensors_of_all_it_serves(tasks: tuple[Task, ...]) -> None:
    both = [t for t in tasks if {"line", "river"} <= set(t.demands)]
    assert both
    assert all(t.sensors == {Sensor.THERMAL, Sensor.RGB} for t in both)


def test_looks_of_a_strip_overlap_forward(tasks: tuple[Task, ...]) -> None:
    """By 35 % at least, in the pictures of the sensor that is needed."""
    for task in (t for t in tasks if t.kind is TaskKind.STRIP):
        along = RGB_ALONG if "river" in task.demands else ALONG
        places = np.array([FRAME.to_local(k.place) for k in task.looks])
        assert np.hypot(*np.diff(places, axis=0).T).max() <= 2 * along * 120 * 0.65 * 1.01


def test_demands_at_very_different_heights_are_not_merged(site: Site, terrain: Terrain) -> None:
    low = Demand("low", "power", FIRE, square(-500, 100, 100), THERMAL, height_m=60, revisit_s=60)
    found, _ = tasks_of(site, terrain, [site.demands[0], low])
    assert not any({"forest", "low"} <= set(t.demands) for t in found)


def test_a_point_gets_one_look_unless_a_strip_shows_it_already(site: Site, terrain: Terrain) -> None:
    def at(east_m: float) -> Demand:
        where = FRAME.to_place(east_m, 200)
        return Demand("tower", "power", frozenset({Hazard.HOT_JOINT}), where, THERMAL, 120, 60)

    alone, _ = tasks_of(site, terrain, [at(700)])
    assert [(t.kind, len(t.looks)) for t in alone] == [(TaskKind.POINT, 1)]
    inside, _ = tasks_of(site, terrain, [site.demands[0], at(-500)])
    assert all(t.kind is TaskKind.STRIP for t in inside)
    assert any({"forest", "tower"} <= set(t.demands) for t in inside)


def test_ground_inside_a_no_fly_zone_is_left_out_with_the_reason(site: Site, terrain: Terrain) -> None:
    zone = NoFly("gas", square(-600, 100, 200))
    found, left = tasks_of(replace(site, no_fly=(zone,)), terrain, [site.demands[0]])
    assert [u.demand for u in left] == ["forest"]
    assert "no-fly zone" in left[0].reason
    grown = LocalFrame(site.origin).polygon(zone.area).buffer(15)
    for look in (look for task in found for look in task.looks):
        assert not shapely.contains_xy(grown, *FRAME.to_local(look.place))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"height_m": 20.0}, "20 m over the ground"),
        ({"where": square(-2500, 0, 300)}, "outside the elevation model"),
    ],
)
def test_what_cannot_be_seen_says_why(
    site: Site, terrain: Terrain, changes: dict[str, object], reason: str
) -> None:
    demand = replace(site.demands[0], **changes)  # type: ignore[arg-type]
    _, left = tasks_of(replace(site, demands=(demand,)), terrain)
    assert reason in left[0].reason
    assert left[0].would_help


def test_a_sensor_no_drone_carries_says_so(site: Site, terrain: Terrain) -> None:
    thermal_only = replace(site.models[0], cameras=site.models[0].cameras[:1])
    _, left = tasks_of(replace(site, models=(thermal_only,)), terrain)
    assert [(u.demand, "carries rgb" in u.reason) for u in left] == [("river", True)]


def test_the_narrowest_of_the_cameras_decides(site: Site) -> None:
    both = Footprint.of(site.models, THERMAL | RGB)
    assert both is not None
    assert (both.across, both.along) == pytest.approx((ACROSS, ALONG))


def test_every_place_the_valley_wants_watched_is_seen() -> None:
    """The example that everybody flies: a fire anywhere in its watched ground is in some picture."""
    valley = load_site(ROOT / "examples" / "valley" / "site.yaml")
    terrain = Terrain.open(valley.terrain)
    found, left = tasks_of(valley, terrain)
    assert left == ()
    for demand in valley.demands:
        assert unseen(demand, found, terrain, margin_m=4.0, frame=LocalFrame(valley.origin)) == 0, demand.id
    assert 400 <= sum(len(t.looks) for t in found) <= 500
