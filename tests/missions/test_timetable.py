"""Sorties get a drone and a time: charged in between, within the hours of their demands."""

from dataclasses import replace
from itertools import pairwise

import pytest

from missions.model import Drone, Plan, Site, Task, TaskKind
from missions.timetable import STEP_S, Slot, busy_s, timetable

HOUR_S = 3600.0


@pytest.fixture
def flights(planned: Plan) -> Plan:
    """Four sorties of ten minutes from the west, each over one task of one demand."""
    model = planned.sorties[0]
    names = ("forest", "village", "line", "river")
    return replace(
        planned,
        tasks=tuple(
            Task(f"T{k}", TaskKind.POINT, planned.tasks[0].looks[:1], frozenset(), (name,), ())
            for k, name in enumerate(names)
        ),
        sorties=tuple(
            replace(model, id=f"S{k}", dock="west", tasks=(f"T{k}",), flight_s=600.0, energy_wh=250.0)
            for k in range(4)
        ),
    )


def with_hours(site: Site, **hours: tuple[float, float]) -> Site:
    return replace(site, demands=tuple(replace(d, window=hours.get(d.id)) for d in site.demands))


def of(slots: tuple[Slot, ...], drone: str) -> list[Slot]:
    return [slot for slot in slots if slot.drone == drone]


def test_one_drone_flies_one_after_the_other_and_charges_in_between(flights: Plan, site: Site) -> None:
    """Half a battery is half of the half hour that a full charge takes."""
    made = timetable(flights, site, starts_s=8 * HOUR_S)
    assert made.unplaced == ()
    assert busy_s(flights.sorties[0], site) == 600 + 90 + 900
    assert made.slots[0].starts_s == 8 * HOUR_S
    assert all(
        0 <= after.starts_s - before.ready_s < STEP_S for before, after in pairwise(of(made.slots, "D1"))
    )


def test_two_drones_take_half_the_time(flights: Plan, site: Site) -> None:
    two = replace(site, drones=(*site.drones, Drone("D9", "GP-1", "west", 9)))
    made = timetable(flights, two)
    assert len(of(made.slots, "D1")) == len(of(made.slots, "D9")) == 2
    assert max(slot.starts_s for slot in made.slots) <= busy_s(flights.sorties[0], site) + STEP_S


def test_a_sortie_waits_for_the_hours_of_its_demand(flights: Plan, site: Site) -> None:
    made = timetable(flights, with_hours(site, forest=(10 * HOUR_S, 11 * HOUR_S)), starts_s=8 * HOUR_S)
    forest = next(slot for slot in made.slots if slot.sortie == "S0")
    assert forest.starts_s >= 10 * HOUR_S
    assert forest.lands_s <= 11 * HOUR_S


def test_early_hours_go_first(flights: Plan, site: Site) -> None:
    made = timetable(flights, with_hours(site, river=(8 * HOUR_S, 8 * HOUR_S + 700)), starts_s=8 * HOUR_S)
    assert made.slots[0].sortie == "S3"
    assert made.unplaced == ()


def test_hours_too_short_for_the_flight_are_said(flights: Plan, site: Site) -> None:
    made = timetable(flights, with_hours(site, line=(9 * HOUR_S, 9 * HOUR_S + 300)))
    assert [(u.sortie, u.reason) for u in made.unplaced] == [
        ("S2", "it takes 10 min and the hours of its demands leave 5")
    ]


def test_contradicting_hours_are_said(flights: Plan, site: Site) -> None:
    both = replace(flights.tasks[0], demands=("forest", "river"))
    plan = replace(flights, tasks=(both, *flights.tasks[1:]))
    hours = with_hours(site, forest=(8 * HOUR_S, 9 * HOUR_S), river=(20 * HOUR_S, 21 * HOUR_S))
    assert "no moment in common" in timetable(plan, hours).unplaced[0].reason


def test_what_finds_no_free_drone_is_said_and_the_rest_flies(flights: Plan, site: Site) -> None:
    made = timetable(flights, site, ends_s=40 * 60.0)
    assert len(made.slots) == 2
    assert all("flies or charges" in u.reason for u in made.unplaced)


def test_no_sorties_are_an_empty_timetable(planned: Plan, site: Site) -> None:
    assert timetable(replace(planned, sorties=()), site) == timetable(replace(planned, sorties=()), site)
    assert timetable(replace(planned, sorties=()), site).slots == ()
