"""Whose ground it may be: holes, borders and ellipses, and the reason of each decision."""

import pytest

from api.routing import Concern, Grounds, route
from missions.duty import Channel
from missions.geo import Area, LatLon, moved
from missions.measure import Job, Raw
from missions.model import Agency, Hazard, Severity, Subscription
from vision.model import Ellipse

POINT = Ellipse(0.0, 0.0, 0.0)


def ring(south: float, west: float, side: float) -> tuple[LatLon, ...]:
    corners = ((south, west), (south, west + side), (south + side, west + side), (south + side, west))
    return tuple(LatLon(lat, lon) for lat, lon in corners)


def agency(name: str, area: Area) -> Agency:
    wants = (Subscription(frozenset({Hazard.FIRE}), Severity.YELLOW, 0.5),)
    return Agency(name, {"en-US": name}, "en-US", (area,), wants, (Channel("webhook"),))


LAKE = ring(30.25, 119.25, 0.25)
LAND = agency("land", Area(ring(30.0, 119.0, 1.0), (LAKE,)))
WATER = agency("water", Area(LAKE))
EAST = agency("east", Area(ring(30.0, 120.0, 1.0)))
GROUNDS = Grounds((LAND, WATER, EAST))


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (LatLon(30.1, 119.1), {"land"}),
        (LatLon(30.3, 119.3), {"water"}),  # in the hole
        (LatLon(30.25, 119.3), {"land", "water"}),  # on the shore
        (LatLon(30.5, 120.0), {"land", "east"}),  # on the shared border
        (LatLon(30.0, 120.0), {"land", "east"}),  # on a shared corner
        (LatLon(29.9, 119.5), set()),
    ],
)
def test_borders_belong_to_both_sides_and_holes_to_whoever_has_them(
    place: LatLon, expected: set[str]
) -> None:
    assert GROUNDS.at(place, POINT) == expected


def test_an_ellipse_tells_the_neighbour_only_in_the_direction_in_which_it_is_long() -> None:
    place = moved(LatLon(30.5, 120.0), 270.0, 50.0)
    assert GROUNDS.at(place, Ellipse(60.0, 10.0, 90.0)) == {"land", "east"}
    assert GROUNDS.at(place, Ellipse(60.0, 10.0, 0.0)) == {"land"}


@pytest.mark.parametrize(
    ("ground", "hazard", "severity", "confidence", "told", "concern"),
    [
        (True, Hazard.FIRE, Severity.ORANGE, 0.9, False, Concern.TELL),
        (True, Hazard.FLOOD, Severity.RED, 0.9, False, Concern.NOT_ITS_HAZARD),
        (False, Hazard.FIRE, Severity.RED, 0.9, False, Concern.NOT_ITS_GROUND),
        (True, Hazard.FIRE, Severity.BLUE, 0.9, False, Concern.BELOW_FLOOR),
        (True, Hazard.FIRE, Severity.ORANGE, 0.4, False, Concern.TOO_UNCERTAIN),
        (True, Hazard.FIRE, Severity.RED, 0.3, False, Concern.TELL),  # red: half the confidence will do
        (False, Hazard.FIRE, Severity.BLUE, 0.45, True, Concern.TELL),  # told before: it stays
        (False, Hazard.FIRE, Severity.BLUE, 0.2, True, Concern.BELOW_FLOOR),
    ],
)
def test_every_decision_has_its_reason(
    ground: bool, hazard: Hazard, severity: Severity, confidence: float, told: bool, concern: Concern
) -> None:
    found = route(
        LAND, is_on_ground=ground, hazard=hazard, severity=severity, confidence=confidence, was_told=told
    )
    assert found.concern is concern
    assert found.reason


def test_a_small_bench_agrees_with_brute_force() -> None:
    from api.bench import routing

    points = routing.some_points(
        routing.np.random.default_rng(1), routing.country(routing.np.random.default_rng(1)), 300
    )
    grounds = Grounds(routing.country(routing.np.random.default_rng(1)))
    assert routing.wrong_points(Job(Raw(None), print), grounds, points) == 0
