"""Drones moved together end up where they would have alone."""

import copy
import math
import random

import pytest

from sim.drone import Follow, Goal, Hold, Limits, Move, Multirotor, Point, Rest, Sink
from sim.swarm import FEWEST, Step, Swarm
from sim.troubles import Troubles
from tests.sim.gcs import MODEL

DT = 0.1


def anywhere(dice: random.Random, spread_m: float = 300.0) -> Point:
    return Point(dice.uniform(-spread_m, spread_m), dice.uniform(-spread_m, spread_m), dice.uniform(20, 120))


def any_goal(dice: random.Random, drone: Multirotor) -> Goal:
    here = drone.at
    match dice.randrange(6):
        case 0:
            return Hold(anywhere(dice))
        case 1:
            return Sink(here._replace(east_m=here.east_m + 1), dice.uniform(0.3, 4))
        case 2:
            return Follow(here, here._replace(up_m=here.up_m + dice.uniform(-15, 60)), 12)
        case 3:
            return Follow(here, here, 12)
        case _:
            start = Point(here.east_m + dice.uniform(-5, 5), here.north_m + dice.uniform(-5, 5), here.up_m)
            return Follow(start, anywhere(dice), dice.uniform(2, 15), dice.choice((0.0, 0.0, 3.0, 8.5)))


def flying(dice: random.Random) -> Multirotor:
    drone = Multirotor(MODEL, lambda east, north: 0.02 * east)
    drone.at = drone.believed = anywhere(dice)
    drone.airborne = True
    drone.velocity = (dice.uniform(-16, 16), dice.uniform(-16, 16), dice.uniform(-3, 3))
    drone.heading_deg, drone.face_deg = dice.uniform(0, 360), dice.choice((None, dice.uniform(0, 360)))
    drone.battery.energy_wh = dice.uniform(5, 500)
    drone.limits = Limits(dice.uniform(1, 4), dice.uniform(0.5, 6), dice.uniform(0.5, 3))
    return drone


def state(drone: Multirotor) -> list[float]:
    battery = drone.battery
    return [
        *(*drone.at, *drone.believed, *drone.velocity, *drone.push, *drone.mean_wind),
        *(drone.heading_deg, drone.air_m_s, drone.power_w, battery.energy_wh, battery.voltage_v),
        *(float(drone.airborne), float(drone.crashed)),
    ]


@pytest.mark.parametrize("seed", range(4))
def test_together_and_alone_are_the_same_flight(seed: int) -> None:
    """Any state, any goal, any wind, for twelve seconds: the same numbers to a micrometre."""
    dice = random.Random(seed)
    together = [flying(dice) for _ in range(FEWEST * 3)]
    alone = copy.deepcopy(together)
    goals = [any_goal(dice, d) for d in together]
    swarm = Swarm()
    for _ in range(120):
        winds = [(dice.uniform(-20, 20), dice.uniform(-20, 20)) for _ in together]
        swarm.advance([Step(d, DT, g, w) for d, g, w in zip(together, goals, winds, strict=True)])
        for drone, goal, wind in zip(alone, goals, winds, strict=True):
            drone.step(DT, goal, wind)
    for one, other in zip(together, alone, strict=True):
        assert state(one) == pytest.approx(state(other), abs=1e-6)


def test_what_is_rare_flies_as_it_does_alone() -> None:
    """On the ground, falling, struck by a fault or steered by hand, among many others."""
    dice = random.Random(9)
    crowd = [Step(flying(dice), DT, Hold(anywhere(dice)), (0.0, 0.0)) for _ in range(FEWEST)]
    rare = [flying(dice) for _ in range(5)]
    rare[0].airborne = False
    rare[1].battery.energy_wh = 0.0
    rare[2].suffer(Troubles(compass_deg=30.0))
    goals: list[Goal] = [Rest(), Hold(Point(0, 0, 50)), Hold(Point(0, 0, 50)), Move(3, 0, 0), Rest()]
    alone = copy.deepcopy(rare)
    swarm = Swarm()
    for _ in range(40):
        swarm.advance([*crowd, *(Step(d, DT, g, (3.0, 0.0)) for d, g in zip(rare, goals, strict=True))])
        for drone, goal in zip(alone, goals, strict=True):
            drone.step(DT, goal, (3.0, 0.0))
    for one, other in zip(rare, alone, strict=True):
        assert state(one) == state(other)
        assert not any(math.isnan(value) for value in state(one))
