"""An incident's ellipse on the ground, and which ground it touches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.shapes import CORNERS, LEAST_M, ellipse_ring, touches
from missions.geo import Area, LatLon, distance_m, moved
from tests.api.world import FOREST
from vision.model import Ellipse

SQUARE = Area((LatLon(30.0, 119.0), LatLon(30.0, 119.1), LatLon(30.1, 119.1), LatLon(30.1, 119.0)))
HOLE = (LatLon(30.04, 119.04), LatLon(30.04, 119.06), LatLon(30.06, 119.06), LatLon(30.06, 119.04))


@given(major_m=st.floats(1, 500), minor_m=st.floats(1, 500), bearing_deg=st.floats(0, 360))
def test_the_ring_lies_between_the_two_axes(major_m: float, minor_m: float, bearing_deg: float) -> None:
    ring = ellipse_ring(FOREST, Ellipse(major_m, minor_m, bearing_deg))
    away = [distance_m(FOREST, place) for place in ring]
    assert len(ring) == CORNERS
    assert min(away) == pytest.approx(min(major_m, minor_m), rel=1e-6)
    assert max(away) == pytest.approx(max(major_m, minor_m), rel=1e-6)
    assert distance_m(ring[0], moved(FOREST, bearing_deg, major_m)) < 0.001


def test_a_place_known_exactly_is_still_drawn() -> None:
    ring = ellipse_ring(FOREST, Ellipse(0.0, 0.0, 0.0))
    assert all(distance_m(FOREST, place) == pytest.approx(LEAST_M) for place in ring)


@pytest.mark.parametrize(
    ("place", "major_m", "expected"),
    [
        (LatLon(30.02, 119.02), 5.0, True),
        (LatLon(30.02, 118.99), 5.0, False),
        (LatLon(30.02, 118.99), 2000.0, True),
        (LatLon(30.02, 119.0), 1.0, True),  # on the border
        (LatLon(30.05, 119.05), 5.0, False),  # in the hole
        (LatLon(30.05, 119.05), 3000.0, True),  # wider than the hole
    ],
)
def test_the_ground_is_touched_where_the_ellipse_meets_it(
    place: LatLon, major_m: float, expected: bool
) -> None:
    ground = Area(SQUARE.outer, (HOLE,))
    assert touches((ground,), place, Ellipse(major_m, major_m, 0.0)) is expected


def test_no_ground_is_touched_by_nothing() -> None:
    assert not touches((), FOREST, Ellipse(1e6, 1e6, 0.0))
