"""Plans of the tiny world."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from missions import check
from missions.model import Demand, NoFly, Plan, Site, Wind
from missions.planner import LONGEST_S, plan, saving
from missions.terrain import Terrain
from tests.missions.tiny import FIRE, THERMAL, square


def quick(site: Site, terrain: Terrain, **options: object) -> Plan:
    return plan(site, terrain=terrain, **({"iterations": 60} | options))  # type: ignore[arg-type]


def test_all_agencies_are_served_by_shared_sorties(planned: Plan) -> None:
    assert planned.unserved == ()
    assert {a for s in planned.sorties for a in s.agencies} == {"forestry", "water", "power", "emergency"}
    assert planned.shared_tasks > 0
    assert [s.id for s in planned.sorties] == [f"S{k + 1}" for k in range(len(planned.sorties))]
    assert all(s.flight_s <= LONGEST_S for s in planned.sorties)


def test_a_sortie_starts_and_ends_over_its_dock_and_never_dips(
    planned: Plan, site: Site, terrain: Terrain
) -> None:
    for sortie in planned.sorties:
        assert sortie.waypoints[0].place == pytest.approx(sortie.waypoints[-1].place)
        for waypoint in sortie.waypoints:
            assert waypoint.altitude.metres - terrain.elevation_at(waypoint.place) >= 35


def test_the_same_seed_gives_the_same_plan(planned: Plan, site: Site, terrain: Terrain) -> None:
    assert plan(site, terrain=terrain, iterations=150, seed=1) == planned


def test_what_no_drone_can_reach_is_unserved_and_the_rest_is_flown(
    site: Site, terrain: Terrain, with_demand: Callable[[Site, Demand], Site]
) -> None:
    weak = replace(site.models[0], battery_wh=60.0)
    far = Demand("far", "forestry", FIRE, square(-800, 1900, 100), THERMAL, 120, 7200)
    made = quick(with_demand(replace(site, models=(weak,)), far), terrain)
    (unserved,) = [u for u in made.unserved if u.demand == "far"]
    assert "out of reach" in unserved.reason
    assert "a sortie has 45 Wh" in unserved.reason
    assert "a dock within" in unserved.would_help
    assert "forest" not in {u.demand for u in made.unserved}


def test_no_plan_is_flown_in_a_storm(site: Site, terrain: Terrain) -> None:
    made = quick(replace(site, wind=Wind(15, 0)), terrain)
    assert made.sorties == ()
    assert {u.demand for u in made.unserved} == {d.id for d in site.demands}
    assert "15 m/s" in made.unserved[0].reason


def test_sorties_go_round_a_no_fly_zone(site: Site, terrain: Terrain) -> None:
    zoned = replace(site, no_fly=(NoFly("gas", square(-850, -50, 100)),))
    made = quick(zoned, terrain)
    assert made.sorties
    assert check.faults(made, zoned, terrain, longest_s=LONGEST_S) == ()


def test_more_work_than_one_flight_of_each_drone_takes_several(site: Site, terrain: Terrain) -> None:
    one_drone = replace(site, docks=site.docks[:1], drones=site.drones[:1])
    made = quick(one_drone, terrain, longest_s=420.0)
    assert len(made.sorties) > 1
    assert made.unserved == ()


def test_wind_costs_time(planned: Plan, site: Site, terrain: Terrain) -> None:
    windy = plan(replace(site, wind=Wind(8, 270)), terrain=terrain, iterations=150)
    assert windy.flight_s > planned.flight_s


def test_flying_together_saves_time(planned: Plan, site: Site, terrain: Terrain) -> None:
    share = saving(planned, site, terrain=terrain, iterations=30)
    assert share is not None
    assert 0.1 < share < 0.9


def test_several_searches_give_a_plan_at_least_as_good(site: Site, terrain: Terrain) -> None:
    one, two = quick(site, terrain, workers=1), quick(site, terrain, workers=2)
    assert two.flight_s <= one.flight_s + 1
