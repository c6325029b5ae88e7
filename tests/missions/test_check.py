"""The checker refuses every kind of broken plan."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from missions import check
from missions.geo import Altitude, Datum, moved
from missions.model import NoFly, Plan, Site, Sortie, Waypoint, Wind
from missions.terrain import Terrain
from tests.missions.tiny import square


def first(plan: Plan, **changes: object) -> Plan:
    """Return the plan with its first sortie changed."""
    return replace(plan, sorties=(replace(plan.sorties[0], **changes), *plan.sorties[1:]))  # type: ignore[arg-type]


def lowered(sortie: Sortie, by_m: float) -> tuple[Waypoint, ...]:
    return tuple(
        replace(
            w, altitude=Altitude(w.altitude.metres - by_m, Datum.AMSL), above_dock_m=w.above_dock_m - by_m
        )
        for w in sortie.waypoints
    )


def passed(plan: Plan, **changes: object) -> tuple[Waypoint, ...]:
    """Return the first sortie's waypoints with all of them changed."""
    return tuple(replace(w, **changes) for w in plan.sorties[0].waypoints)  # type: ignore[arg-type]


def test_a_plan_of_the_planner_has_no_faults(planned: Plan, site: Site, terrain: Terrain) -> None:
    assert check.faults(planned, site, terrain, longest_s=1320) == ()


MUTATIONS: dict[str, tuple[Callable[[Plan], Plan], str]] = {
    "a task twice": (
        lambda p: replace(p, sorties=(*p.sorties, replace(p.sorties[0], id="S9"))),
        "is flown 2 times",
    ),
    "a name twice": (lambda p: replace(p, sorties=(*p.sorties, p.sorties[0])), "2 sorties are called"),
    "a height that is none": (lambda p: first(p, waypoints=passed(p, above_dock_m=math.nan)), "no number"),
    "a figure that is none": (lambda p: first(p, worst_wh=math.nan), "no number"),
    "too fast": (lambda p: first(p, waypoints=passed(p, speed_m_s=60.0)), "is not flown at the"),
    "for somebody else": (
        lambda p: first(p, agencies=("x",), waypoints=passed(p, agencies=("x",))),
        "for agencies that it does not serve",
    ),
    "a sortie dropped": (lambda p: replace(p, sorties=p.sorties[1:]), "neither served nor listed"),
    "too low": (lambda p: first(p, waypoints=lowered(p.sorties[0], 95)), "of the ground"),
    "ends elsewhere": (lambda p: first(p, waypoints=p.sorties[0].waypoints[:-1]), "does not end over dock"),
    "heights mixed up": (
        lambda p: first(
            p, waypoints=tuple(replace(w, above_dock_m=w.altitude.metres) for w in p.sorties[0].waypoints)
        ),
        "does not fit the height over the sea",
    ),
    "a picture left out": (
        lambda p: first(
            p, waypoints=tuple(w for w in p.sorties[0].waypoints if w is not p.sorties[0].shots[2])
        ),
        "not where the task has them",
    ),
    "a picture moved": (
        lambda p: first(
            p,
            waypoints=tuple(
                replace(w, place=moved(w.place, 90, 30)) if w is p.sorties[0].shots[2] else w
                for w in p.sorties[0].waypoints
            ),
        ),
        "not where the task has them",
    ),
    "time made short": (lambda p: first(p, flight_s=p.sorties[0].flight_s * 0.8), "s and takes"),
    "energy made small": (lambda p: first(p, energy_wh=p.sorties[0].energy_wh * 0.8), "Wh and takes"),
    "reserve made large": (lambda p: first(p, reserve_min=99.0), "min of reserve"),
    "an agency forgotten": (lambda p: first(p, agencies=("water",)), "its agencies"),
    "a task unknown": (lambda p: first(p, tasks=("T999",)), "not in the plan"),
    "a dock without drones": (lambda p: first(p, model="GP-1", dock="north"), "no drone"),
}


@pytest.mark.parametrize("name", [n for n in MUTATIONS if n != "a dock without drones"])
def test_a_broken_plan_is_refused(name: str, planned: Plan, site: Site, terrain: Terrain) -> None:
    mutate, complaint = MUTATIONS[name]
    found = check.faults(mutate(planned), site, terrain)
    assert any(complaint in fault for fault in found), found


def test_a_dock_without_a_drone_is_refused(planned: Plan, site: Site, terrain: Terrain) -> None:
    dock = planned.sorties[0].dock
    bare = replace(site, drones=tuple(d for d in site.drones if d.dock != dock))
    assert any("has no drone" in fault for fault in check.faults(planned, bare, terrain))


def test_a_smaller_battery_than_planned_for_is_refused(planned: Plan, site: Site, terrain: Terrain) -> None:
    small = replace(site, models=(replace(site.models[0], battery_wh=60.0),))
    assert any("eats into the reserve" in fault for fault in check.faults(planned, small, terrain))


def test_a_zone_drawn_over_the_plan_is_refused_and_one_above_it_is_not(
    planned: Plan, site: Site, terrain: Terrain
) -> None:
    def faults(floor_m: float | None) -> tuple[str, ...]:
        zoned = replace(site, no_fly=(NoFly("gas", square(-700, 0, 400), floor_m=floor_m),))
        return check.faults(planned, zoned, terrain)

    assert any("no-fly zone gas" in fault for fault in faults(None))
    assert faults(2000.0) == ()


def test_wind_that_was_not_planned_for_is_refused(planned: Plan, site: Site, terrain: Terrain) -> None:
    assert any("wind" in f for f in check.faults(planned, replace(site, wind=Wind(14, 0)), terrain))
    assert any("takes" in f for f in check.faults(planned, replace(site, wind=Wind(9, 0)), terrain))


def test_a_flight_longer_than_allowed_is_refused(planned: Plan, site: Site, terrain: Terrain) -> None:
    assert any("are longer than" in f for f in check.faults(planned, site, terrain, longest_s=60))
