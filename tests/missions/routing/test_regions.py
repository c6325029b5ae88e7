"""A site searched region by region: nothing is worked on twice at a time, and nothing is lost."""

import random
from dataclasses import replace

import numpy as np
import pytest

from missions.routing.cases import Case
from missions.routing.regions import REGION_POINTS, Flown, plan_regions, region_of

CASE = Case(
    name="row",
    docks=np.array([[0.0, 0.0, 50.0], [9000.0, 0.0, 50.0]]),
    points=np.column_stack([np.linspace(100, 8900, 40), np.zeros(40), np.full(40, 100.0)]),
    no_fly=(),
    speed_m_s=10,
    climb_m_s=4,
    descent_m_s=3,
    service_s=8,
    endurance_s=1500,
)


def test_a_site_smaller_than_a_region_keeps_one_worker_busy() -> None:
    """The first region takes every tour; for a second one there is none."""
    tours = [Flown(0, tuple(range(20)), 900.0), Flown(1, tuple(range(20, 40)), 900.0)]
    first = region_of(CASE, tours, [], 1.0, random.Random(1))
    assert first is not None
    assert set(first.tours) == set(tours)
    assert region_of(CASE, tours, [first], 1.0, random.Random(1)) is None


def test_regions_worked_on_at_a_time_share_no_tour() -> None:
    size = REGION_POINTS // 2
    many = 8 * size
    case = replace(CASE, points=np.column_stack([np.arange(many), np.zeros(many), np.full(many, 100.0)]))
    tours = [Flown(0, tuple(range(k, k + size)), 900.0) for k in range(0, many, size)]
    dice = random.Random(1)
    one = region_of(case, tours, [], 1.0, dice)
    assert one is not None
    two = region_of(case, tours, [one], 1.0, dice)
    assert two is not None
    assert not set(one.tours) & set(two.tours)
    assert all(len(region.points) <= REGION_POINTS for region in (one, two))


@pytest.mark.parametrize("points", [40, 0])
def test_two_workers_plan_a_small_site_and_stop(points: int) -> None:
    case = replace(CASE, points=CASE.points[:points])
    found = plan_regions(case, seconds=5, workers=2, seed=1)
    assert sorted(p for tour in found.tours for p in tour.points) == list(range(points))
    assert all(tour.seconds <= case.endurance_s for tour in found.tours)
