"""A plan photographed without flying it."""

from pathlib import Path

import pytest

from missions.geo import Altitude, Datum, distance_m
from missions.model import Plan, Sortie, Waypoint
from sim.flyover import flyover
from tests.sim.hills import EPOCH_AT, FLOOR_M, FRAME, world


def waypoint(east_m: float, north_m: float, *, shoots: bool) -> Waypoint:
    place = FRAME.to_place(east_m, north_m)
    return Waypoint(place, Altitude(FLOOR_M + 120, Datum.AMSL), 120.0, 12.0, -90.0, shoots)


@pytest.fixture
def plan() -> Plan:
    """One sortie: out to the west, then north, three pictures."""
    route = (
        waypoint(300, -200, shoots=False),
        waypoint(60, -200, shoots=True),
        waypoint(-60, -200, shoots=True),
        waypoint(-60, 40, shoots=True),
    )
    sortie = Sortie("S1", "dock", "GP-1", route, (), (), 200.0, 100.0, 5.0)
    return Plan("hills", 1, (sortie,), (), ())


def test_there_is_a_job_for_every_planned_shot_in_flying_order(plan):
    jobs = list(flyover(plan, world(), folder=Path("out"), seed=1))
    assert [str(j.stem) for j in jobs] == ["out/S1/GP_0001", "out/S1/GP_0002", "out/S1/GP_0003"]
    assert [j.image_index for j in jobs] == [0, 1, 2]
    for job, shot in zip(jobs, plan.sorties[0].shots, strict=True):
        assert distance_m(job.true.place, shot.place) <= 0.5
        assert job.true.altitude_m == shot.altitude.metres


def test_the_drone_faces_along_its_way_and_takes_the_time_the_way_takes(plan):
    jobs = list(flyover(plan, world(), folder=Path("out"), seed=1))
    turned = [(j.true.heading_deg + 90.0) % 360.0 for j in jobs]
    assert turned == pytest.approx([0, 0, 90], abs=0.2)
    # 30 s up at 4 m/s, 240 m, 120 m and 240 m at 12 m/s.
    assert [(j.taken_at - EPOCH_AT).total_seconds() for j in jobs] == pytest.approx([50, 60, 80], abs=0.1)


def test_reported_poses_are_wrong_by_metres_and_the_same_for_the_same_seed(plan):
    jobs = list(flyover(plan, world(), folder=Path("out"), seed=1))
    wrong_m = [distance_m(j.true.place, j.reported.place) for j in jobs]
    assert 0.1 < max(wrong_m) < 12
    assert jobs == list(flyover(plan, world(), folder=Path("out"), seed=1))
    assert jobs != list(flyover(plan, world(), folder=Path("out"), seed=2))
