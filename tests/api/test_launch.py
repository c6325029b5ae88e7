"""What an order to a gateway carries beside the items."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from api.launch import with_limits
from fleet.fly import order_of
from fleet.order import order_from
from missions.export import planfile
from missions.geo import LatLon, distance_m
from missions.items import mission_items
from missions.model import Site
from missions.planner import plan
from missions.terrain import Terrain
from tests.builders import valley

ORDER: dict[str, Any] = {
    "id": "P1-S1:fly:1",
    "action": "fly",
    "sortie": {"id": "P1-S1", "model": "GP-1", "dock": {"id": "dock-west"}, "energy_wh": 150.0},
}


@pytest.fixture
def site() -> Site:
    return valley()


def test_an_order_carries_what_model_and_dock_allow(site: Site) -> None:
    """150 Wh of 500 and a quarter in reserve: 55 %; the lower wind limit of the two counts."""
    sortie = with_limits(ORDER, site)["sortie"]
    assert sortie["battery_percent"] == pytest.approx(55.0)
    assert sortie["max_wind_m_s"] == 10
    assert (sortie["climb_m_s"], sortie["descent_m_s"]) == (4, 3)
    assert sortie["id"] == "P1-S1"


def test_an_order_for_an_unknown_model_is_left_to_the_gateway(site: Site) -> None:
    """The site file may have changed since the plan was made."""
    assert with_limits(ORDER, replace(site, models=())) == ORDER


def test_another_dock_is_a_place_to_land_at(site: Site) -> None:
    """Its own is not; and one that lies too far from it is not either."""
    landings = with_limits(ORDER, site)["sortie"]["landings"]
    own = ORDER["sortie"]["dock"]["id"]
    assert [a["id"] for a in landings] == [d.id for d in site.docks if d.id != own]
    assert {a["kind"] for a in landings} == {"dock"}
    docks = tuple(d if d.id == own else replace(d, place=LatLon(31.0, 119.4)) for d in site.docks)
    assert with_limits(ORDER, replace(site, docks=docks))["sortie"]["landings"] == []


def test_the_gateway_reads_the_fence_and_the_places_to_land_that_the_plan_is_exported_with(
    site: Site,
) -> None:
    """One rule with `gridpatrol fly`; there the docks are rally points, here their doors are opened first."""
    made = plan(site, terrain=Terrain.open(site.terrain), iterations=20)
    sortie = made.sorties[0]
    exported = order_of(planfile.of(made, site), sortie.id)
    dock = asdict(exported.dock)
    items = [asdict(item) for item in mission_items(sortie, site.dock(sortie.dock))]
    order = {**ORDER["sortie"], "drone": "D1", "shots": 1, "expected_s": 1.0, "items": items, "dock": dock}
    told = order_from(with_limits({**ORDER, "sortie": order}, site)["sortie"])
    assert [z.inside for z in told.fence] == [z.inside for z in exported.fence]
    for ours, theirs in zip(told.fence, exported.fence, strict=True):
        assert all(distance_m(a, b) < 1 for a, b in zip(ours.corners, theirs.corners, strict=True))
    assert [a.place for a in told.landings] == [a.place for a in exported.landings] != []
    assert (told.ways, told.rally) == (told.landings, ())
    assert (exported.ways, exported.rally) == ((), exported.landings)
