"""The simulator's own flat map against the full projection."""

import math

import pytest

from missions.geo import LatLon, LocalFrame
from sim.tangent import Tangent

ORIGIN = LatLon(30.28, 119.42)


@pytest.mark.parametrize("bearing_deg", range(0, 360, 45))
@pytest.mark.parametrize("away_m", [10, 1000, 5000])
def test_a_place_lies_where_the_full_projection_puts_it(bearing_deg: int, away_m: int) -> None:
    """Two centimetres anywhere in five kilometres."""
    east, north = (away_m * f(math.radians(bearing_deg)) for f in (math.sin, math.cos))
    place = LocalFrame(ORIGIN).to_place(east, north)
    assert Tangent(ORIGIN).to_local(place.lat_deg, place.lon_deg) == pytest.approx((east, north), abs=0.02)


def test_there_and_back_is_the_same_point() -> None:
    tangent = Tangent(ORIGIN)
    assert tangent.to_local(*tangent.to_place(1234.5, -2345.6)) == pytest.approx((1234.5, -2345.6), abs=1e-4)
