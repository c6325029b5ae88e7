"""The Canadian fire-weather index, against the published test season."""

from datetime import date
from pathlib import Path

import pytest

from missions.errors import InputWrong
from vision.witnesses.fwi import Codes, FireWeather, NoonWeather, bui, fire_weather, fwi, season

# Van Wagner & Pickett 1985, Forestry Technical Report 33, the sample run of its program: month, day, °C, %,
# km/h, mm, then FFMC, DMC, DC, ISI, BUI, FWI to one decimal.
TABLE = [line.split() for line in (Path(__file__).parent / "fwi_1985.txt").read_text().splitlines()]


def _weather(row: list[str]) -> NoonWeather:
    month, day, temp, humidity, wind, rain = (float(value) for value in row[:6])
    return NoonWeather(date(1985, int(month), int(day)), temp, humidity, wind / 3.6, rain)


def test_the_published_season_comes_out_to_the_published_decimal() -> None:
    """49 days with rain, drought and wind, each building on the one before."""
    days = list(season(map(_weather, TABLE), lat_deg=44.0))
    assert len(days) == 49
    for row, found in zip(TABLE, days, strict=True):
        expected = [float(value) for value in row[6:]]
        got = [found.codes.ffmc, found.codes.dmc, found.codes.dc, found.isi, found.bui, found.fwi]
        assert got == pytest.approx(expected, abs=0.0501), row[:2]


def test_the_first_day_comes_out_to_twelve_digits() -> None:
    """The values that the Canadian Forest Service's own library states for its functions."""
    found = fire_weather(_weather(TABLE[0]), Codes(), lat_deg=45.98)
    assert found.codes.ffmc == pytest.approx(87.692980092774448, abs=1e-12)
    assert found.codes.dmc == pytest.approx(8.5450511359999997, abs=1e-12)
    assert found.codes.dc == pytest.approx(19.013999999999999, abs=1e-12)
    assert found.isi == pytest.approx(10.853661073655068, abs=1e-12)
    assert found.bui == pytest.approx(8.4904265358371838, abs=1e-12)
    assert found.fwi == pytest.approx(10.096371392382368, abs=1e-12)


def test_south_of_the_equator_january_is_summer() -> None:
    hot = NoonWeather(date(2026, 1, 15), 30.0, 30.0, 5.0, 0.0)

    def after(lat_deg: float) -> FireWeather:
        return fire_weather(hot, Codes(), lat_deg=lat_deg)

    assert after(-35.0).codes.dc > after(45.0).codes.dc
    assert after(-35.0).codes.dmc > after(45.0).codes.dmc
    assert after(0.0).codes.dmc == pytest.approx(6.0 + 1.894 * 31.1 * 70 * 9 * 1e-4)


def test_nothing_that_can_burn_gives_nothing() -> None:
    assert bui(0.0, 0.0) == 0.0
    assert fwi(0.0, 0.0) == 0.0


@pytest.mark.parametrize(
    ("field", "value"), [("humidity_percent", 140.0), ("rain_mm", -1.0), ("temp_c", float("nan"))]
)
def test_weather_that_cannot_be_is_refused_by_name(field: str, value: float) -> None:
    usual = {"temp_c": 20.0, "humidity_percent": 40.0, "wind_m_s": 3.0, "rain_mm": 0.0}
    with pytest.raises(InputWrong, match=field):
        NoonWeather(date(2026, 6, 1), **{**usual, field: value})
