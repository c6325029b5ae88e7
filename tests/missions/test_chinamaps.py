"""Chinese map coordinates: the published shift, and the way back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missions.chinamaps import MapDatum, to_bd09, to_gcj02, to_wgs84
from missions.geo import LatLon, distance_m

BEIJING = LatLon(39.915, 116.404)


def test_beijing_is_drawn_where_the_public_converters_draw_it() -> None:
    """Golden values of wandergis/coordtransform, which its README and test state."""
    drawn = to_gcj02(BEIJING)
    assert (drawn.lat_deg, drawn.lon_deg) == pytest.approx((39.91640428150164, 116.41024449916938), abs=1e-12)
    # gcj02tobd09(116.404, 39.915): the same turn, from a place whose GCJ-02 is that.
    baidu = to_bd09(to_wgs84(BEIJING, MapDatum.GCJ02))
    assert (baidu.lat_deg, baidu.lon_deg) == pytest.approx((39.92133699351021, 116.41036949371029), abs=1e-8)


@given(st.floats(18.0, 53.0), st.floats(74.0, 135.0))
def test_there_and_back_is_less_than_a_millimetre(lat_deg: float, lon_deg: float) -> None:
    place = LatLon(lat_deg, lon_deg)
    assert distance_m(to_wgs84(to_gcj02(place), MapDatum.GCJ02), place) < 1e-3
    assert distance_m(to_wgs84(to_bd09(place), MapDatum.BD09), place) < 1e-3
    assert 50.0 < distance_m(to_gcj02(place), place) < 1000.0


def test_outside_china_gcj02_is_wgs84() -> None:
    london = LatLon(51.5, -0.12)
    assert to_gcj02(london) == london
    assert to_wgs84(london, MapDatum.WGS84) == london
