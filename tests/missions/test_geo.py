"""Heights keep their datum, the geoid is the shipped one, local metres go both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missions.errors import MixedDatums
from missions.geo import (
    Altitude,
    BadPlace,
    Datum,
    LatLon,
    LocalFrame,
    NoConversion,
    amsl_to_ellipsoid_m,
    bearing_deg,
    distance_m,
    ellipsoid_to_amsl_m,
    geoid_m,
    moved,
    to_amsl_m,
)

# The test values that NGA publishes with EGM96 (INPUT.DAT / OUTPUT.DAT of its F477 program).
NGA_POINTS = [
    (38.6281550, 269.7791550, -31.628),
    (-14.6212170, 305.0211140, -2.969),
    (46.8743190, 102.4487290, -43.575),
    (-23.6174460, 133.8747120, 15.871),
    (38.6254730, 359.9995000, 50.066),
    (-0.4667440, 0.0023000, 17.329),
]


@pytest.mark.parametrize(("lat", "lon", "metres"), NGA_POINTS)
def test_geoid_agrees_with_the_published_points(lat: float, lon: float, metres: float) -> None:
    """Bilinear on 15 minutes against the full expansion: within a few decimetres."""
    assert float(geoid_m(lat, lon)) == pytest.approx(metres, abs=0.6)


def test_geoid_has_no_seam_at_the_date_line() -> None:
    """East and west of 180 degrees meet."""
    assert float(geoid_m(10.0, 179.9999)) == pytest.approx(float(geoid_m(10.0, -179.9999)), abs=0.05)


@given(st.floats(-85, 85), st.floats(-180, 180), st.floats(-100, 9000))
def test_a_height_comes_back_from_the_ellipsoid(lat: float, lon: float, height: float) -> None:
    """There and back is the same height."""
    place = LatLon(lat, lon)
    assert ellipsoid_to_amsl_m(place, amsl_to_ellipsoid_m(place, height)) == pytest.approx(height, abs=1e-6)


@given(st.floats(-70, 70), st.floats(-179, 179), st.floats(-20e3, 20e3), st.floats(-20e3, 20e3))
def test_local_metres_go_both_ways(lat: float, lon: float, east: float, north: float) -> None:
    """Within 20 km of the origin, to a millimetre."""
    frame = LocalFrame(LatLon(lat, lon))
    again = frame.to_local(frame.to_place(east, north))
    assert again == pytest.approx((east, north), abs=1e-3)


def test_distance_bearing_and_move_agree() -> None:
    """A kilometre on bearing 37 arrives a kilometre away on bearing 37."""
    start = LatLon(30.28, 119.42)
    end = moved(start, 37.0, 1000.0)
    assert distance_m(start, end) == pytest.approx(1000.0, abs=1e-6)
    assert bearing_deg(start, end) == pytest.approx(37.0, abs=1e-6)


def test_heights_over_different_surfaces_do_not_compare() -> None:
    """Convert first: a number alone would be wrong by the height of the ground."""
    with pytest.raises(MixedDatums, match="convert one first"):
        Altitude(120.0, Datum.AGL).above(Altitude(80.0, Datum.AMSL))


@pytest.mark.parametrize(("lat", "lon"), [(119.4, 30.3), (float("nan"), 0.0), (0.0, 181.0)])
def test_a_place_on_no_map_is_refused(lat: float, lon: float) -> None:
    """Swapped coordinates in China are caught by the latitude."""
    with pytest.raises(BadPlace, match="swapped"):
        LatLon(lat, lon)


HERE = LatLon(38.6281550, 269.7791550 - 360)


@pytest.mark.parametrize(
    ("datum", "given", "amsl"),
    [
        (Datum.AMSL, {}, 100.0),
        (Datum.ELLIPSOID, {}, 131.6),
        (Datum.AHL, {"takeoff_amsl_m": 50.0}, 150.0),
        (Datum.AGL, {"ground_amsl_m": 70.0}, 170.0),
        (Datum.LOCAL, {"local_zero_amsl_m": -1.5}, 98.5),
    ],
)
def test_a_height_over_any_surface_becomes_one_above_the_sea(
    datum: Datum, given: dict[str, float], amsl: float
) -> None:
    """At NGA's first point the geoid lies 31.6 m under the ellipsoid."""
    assert to_amsl_m(Altitude(100.0, datum), HERE, **given) == pytest.approx(amsl, abs=0.6)


@pytest.mark.parametrize("datum", [Datum.EGM2008, Datum.AHL, Datum.AGL, Datum.LOCAL])
def test_a_height_without_what_its_surface_needs_is_refused(datum: Datum) -> None:
    """A missing grid is no reason to hand the height back unchanged."""
    with pytest.raises(NoConversion, match=f"over {datum} cannot be turned"):
        to_amsl_m(Altitude(100.0, datum), HERE)
