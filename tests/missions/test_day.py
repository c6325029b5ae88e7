"""A day: hours kept apart, zones that open, musts and worths, drones that land elsewhere."""

from dataclasses import replace

import pytest

from missions import check, check_day
from missions.air import NoFly
from missions.model import Demand, Drone, Plan, Site, Slot
from missions.periods import periods
from missions.planner import MOST_DEMANDS, plan
from missions.terrain import Terrain
from tests.missions.tiny import FIRE, FRAME, THERMAL, line, square

HOUR_S = 3600.0


def asked(name: str, where: object, **more: object) -> Demand:
    return Demand(name, "forestry", FIRE, where, THERMAL, 120, 7200, **more)  # type: ignore[arg-type]


def quick(site: Site, terrain: Terrain, **more: object) -> Plan:
    made = plan(site, terrain=terrain, iterations=40, **more)  # type: ignore[arg-type]
    assert check.faults(made, site, terrain) == ()
    return made


def slot_of(made: Plan, demand: str) -> Slot:
    tasks = {t.id for t in made.tasks if demand in t.demands}
    sortie = next(s for s in made.sorties if tasks & set(s.tasks))
    return next(slot for slot in made.slots if slot.sortie == sortie.id)


def test_demands_of_different_hours_are_not_mixed(site: Site, terrain: Terrain) -> None:
    """Two neighbouring fields, one before breakfast and one in the evening."""
    wanted = (
        asked("early", square(-700, 0, 150), window=(6 * HOUR_S, 8 * HOUR_S)),
        asked("late", square(-540, 0, 150), window=(18 * HOUR_S, 20 * HOUR_S)),
    )
    made = quick(replace(site, demands=wanted), terrain)
    assert made.unserved == ()
    assert all(len(t.demands) == 1 for t in made.tasks)
    assert 6 * HOUR_S <= slot_of(made, "early").starts_s < slot_of(made, "early").lands_s <= 8 * HOUR_S
    assert slot_of(made, "late").starts_s >= 18 * HOUR_S


def test_hours_that_overlap_long_enough_are_flown_together(site: Site, terrain: Terrain) -> None:
    wanted = (
        asked("a", square(-700, 0, 200), window=(6 * HOUR_S, 12 * HOUR_S)),
        asked("b", square(-600, 0, 200), window=(9 * HOUR_S, 18 * HOUR_S)),
        asked("c", square(-650, 0, 200)),
    )
    made = quick(replace(site, demands=wanted), terrain)
    assert any(len(t.demands) > 1 for t in made.tasks)
    assert all(s.starts_s >= 9 * HOUR_S and s.lands_s <= 12 * HOUR_S for s in made.slots)


def test_hours_past_midnight_are_hours_too(site: Site) -> None:
    wanted = (asked("night", square(-700, 0, 200), window=(22 * HOUR_S, 6 * HOUR_S)),)
    (period,), left = periods(site, wanted, hours=(0, 24 * HOUR_S), longest_s=1320)
    assert (period.hours, left) == ((0.0, 6 * HOUR_S), ())


def test_a_demand_without_time_left_is_unserved_and_says_so(site: Site, terrain: Terrain) -> None:
    wanted = (asked("dawn", square(-700, 0, 150), window=(5 * HOUR_S, 6 * HOUR_S)),)
    made = quick(replace(site, demands=wanted), terrain, hours=(8 * HOUR_S, 18 * HOUR_S))
    (left,) = made.unserved
    assert "05:00 to 06:00" in left.reason
    assert "08:00" in left.reason


def test_ground_under_a_zone_is_flown_while_the_zone_is_open(site: Site, terrain: Terrain) -> None:
    """A shooting range, shut in the morning: what lies in it is seen later, the rest goes round."""
    zone = NoFly("range", square(-800, -100, 400), hours=(0.0, 12 * HOUR_S))
    wanted = (asked("butts", square(-700, 0, 150)), asked("wood", square(-300, 300, 150)))
    timed = replace(site, demands=wanted, no_fly=(zone,))
    made = quick(timed, terrain)
    assert made.unserved == ()
    assert slot_of(made, "butts").starts_s >= 12 * HOUR_S
    early = replace(
        made, slots=tuple(replace(s, starts_s=0.0, lands_s=s.lands_s - s.starts_s) for s in made.slots)
    )
    assert any("no-fly zone range" in fault for fault in check.faults(early, timed, terrain))


def test_a_must_is_never_dropped_silently(site: Site, terrain: Terrain) -> None:
    """One short hour for one drone: the must is flown, others wait; one out of reach is told first."""
    wanted = (
        asked("big", square(-700, 0, 500), priority=5),
        asked("must", square(-700, -400, 100), must=True),
        asked("far", square(-800, 1900, 60), must=True),
    )
    weak = replace(
        site,
        demands=wanted,
        docks=site.docks[:1],
        drones=site.drones[:1],
        models=(replace(site.models[0], battery_wh=100.0),),
    )
    made = quick(weak, terrain, hours=(8 * HOUR_S, 8.4 * HOUR_S), longest_s=420)
    left = {u.demand: u for u in made.unserved}
    assert "must" not in left
    assert made.unserved[0].demand == "far"
    assert made.unserved[0].reason.startswith("must be flown and cannot")
    assert left["big"].would_help


def test_what_is_worth_less_than_its_flight_is_left_out(site: Site, terrain: Terrain) -> None:
    cheap, dear = (asked("look", FRAME.to_place(-300, 300), worth_s=s) for s in (30.0, 1200.0))
    left = quick(replace(site, demands=(cheap,)), terrain)
    assert left.sorties == ()
    assert "worth" in left.unserved[0].reason
    assert quick(replace(site, demands=(dear,)), terrain).unserved == ()


def test_lateness_counts_as_worth(site: Site, terrain: Terrain) -> None:
    wanted = (asked("a", FRAME.to_place(-300, 300)), asked("b", FRAME.to_place(-700, -300)))
    made = quick(replace(site, demands=wanted), terrain, late_s={"b": 3 * 7200.0})
    prize = {t.demands[0]: t.prize for t in made.tasks}
    assert prize["b"] == 4 * prize["a"]


def test_the_day_checker_finds_drones_in_two_places_and_uncharged(site: Site, terrain: Terrain) -> None:
    made = quick(site, terrain, longest_s=420)
    assert len(made.slots) > 2
    first = made.slots[0]
    doubled = replace(made, slots=(first, *(replace(s, drone=first.drone) for s in made.slots[1:])))
    assert list(check_day.faults(doubled, site, site.demands))
    hasty = replace(made, slots=tuple(replace(s, ready_s=s.lands_s) for s in made.slots))
    assert any("before it is charged" in f for f in check_day.faults(hasty, site, site.demands))
    lost = replace(made, slots=made.slots[1:])
    assert any("0 places" in f for f in check_day.faults(lost, site, site.demands))


def test_drones_that_land_elsewhere_leave_every_dock_as_it_was(site: Site, terrain: Terrain) -> None:
    """Two lines from dock to dock: each drone flies one way and stays, as many here and there as before."""
    from missions.geo import Corridor

    flat = tuple(
        replace(d, place=FRAME.to_place(x, -1200)) for d, x in zip(site.docks, (-1700, -200), strict=True)
    )
    lines = (((-1650, -1100), (-250, -1100)), ((-1650, -1300), (-250, -1300)))
    wanted = tuple(asked(f"line-{k}", Corridor(line(*ends), 20)) for k, ends in enumerate(lines))
    drones = (Drone("D1", "GP-1", "west", 1), Drone("D2", "GP-1", "east", 2))
    # Batteries that one line and half the other do not fit into.
    model = replace(site.models[0], battery_wh=75.0)
    there = replace(site, docks=flat, demands=wanted, drones=drones, models=(model,))
    closed = quick(there, terrain)
    made = quick(there, terrain, land_elsewhere=True)
    assert made.flight_s <= closed.flight_s
    away = [s for s in made.sorties if s.end]
    assert len(away) % 2 == 0
    assert check.faults(made, there, terrain) == ()


def test_too_many_demands_are_refused_in_a_sentence(site: Site, terrain: Terrain) -> None:
    with pytest.raises(Exception, match="make several sites"):
        plan(replace(site, demands=site.demands[:1] * (MOST_DEMANDS + 1)), terrain=terrain)
