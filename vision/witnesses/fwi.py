"""The Canadian Forest Fire Weather Index System, from the day's weather at noon.

Van Wagner & Pickett 1985 (Equations and FORTRAN program for the Canadian Forest Fire Weather Index
System, Forestry Technical Report 33); the numbers in brackets are its equations. Three moisture codes
remember the days before, each its own layer of fuel: FFMC litter, DMC loose duff, DC deep duff. From them
and the wind follow ISI (how fast fire spreads), BUI (how much burns) and FWI (how fierce it gets). DSR is
Van Wagner's daily severity rating. Wind is in km/h inside the equations and in m/s outside.

Day lengths are those of 30-90° north; south of it, and around the equator, those that Lawson & Armitage
2008 (Weather guide for the Canadian Forest Fire Danger Rating System) give.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from missions.errors import InputWrong

_DMC_HOURS = {
    "north": (6.5, 7.5, 9.0, 12.8, 13.9, 13.9, 12.4, 10.9, 9.4, 8.0, 7.0, 6.0),
    "low_north": (7.9, 8.4, 8.9, 9.5, 9.9, 10.2, 10.1, 9.7, 9.1, 8.6, 8.1, 7.8),
    "low_south": (10.1, 9.6, 9.1, 8.5, 8.1, 7.8, 7.9, 8.3, 8.9, 9.4, 9.9, 10.2),
    "south": (11.5, 10.5, 9.2, 7.9, 6.8, 6.2, 6.5, 7.4, 8.7, 10.0, 11.2, 11.8),
}
_DC_NORTH = (-1.6, -1.6, -1.6, 0.9, 3.8, 5.8, 6.4, 5.0, 2.4, 0.4, -1.6, -1.6)
_DC_SOUTH = (6.4, 5.0, 2.4, 0.4, -1.6, -1.6, -1.6, -1.6, -1.6, 0.9, 3.8, 5.8)
_DC_EQUATOR = 1.4


@dataclass(frozen=True, slots=True)
class NoonWeather:
    """The weather of a day at noon local standard time; rain is that of the 24 hours before."""

    day: date
    temp_c: float
    humidity_percent: float
    wind_m_s: float
    rain_mm: float

    def __post_init__(self) -> None:
        limits = {
            "temp_c": (-60.0, 60.0),
            "humidity_percent": (0.0, 100.0),
            "wind_m_s": (0.0, 90.0),
            "rain_mm": (0.0, 2000.0),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:  # NaN is not within either
                raise InputWrong(f"{name}: found {value:g}, expected {low:g} to {high:g}")


@dataclass(frozen=True, slots=True)
class Codes:
    """The three moisture codes after a day; the first day of a season starts from these values."""

    ffmc: float = 85.0
    dmc: float = 6.0
    dc: float = 15.0


@dataclass(frozen=True, slots=True)
class FireWeather:
    """A day's codes and indices."""

    day: date
    codes: Codes
    isi: float
    bui: float
    fwi: float
    dsr: float


def season(
    days: Iterable[NoonWeather], *, lat_deg: float, start: Codes | None = None
) -> Iterator[FireWeather]:
    """Yield the fire weather of days that follow one another; each builds on the one before."""
    codes = start or Codes()
    for weather in days:
        found = fire_weather(weather, codes, lat_deg=lat_deg)
        codes = found.codes
        yield found


def fire_weather(weather: NoonWeather, before: Codes, *, lat_deg: float) -> FireWeather:
    """Return a day's codes and indices from its noon weather and the codes of the day before."""
    codes = Codes(
        ffmc(weather, before.ffmc),
        dmc(weather, before.dmc, lat_deg=lat_deg),
        dc(weather, before.dc, lat_deg=lat_deg),
    )
    spread = isi(codes.ffmc, weather.wind_m_s)
    buildup = bui(codes.dmc, codes.dc)
    index = fwi(spread, buildup)
    return FireWeather(weather.day, codes, spread, buildup, index, 0.0272 * index**1.77)


def ffmc(weather: NoonWeather, before: float) -> float:
    """Return the fine fuel moisture code."""
    temp, humidity, wind = weather.temp_c, weather.humidity_percent, weather.wind_m_s * 3.6
    moisture = _rained_on(147.2 * (101.0 - before) / (59.5 + before), weather.rain_mm)  # (1)
    warmth = 0.18 * (21.1 - temp) * (1 - math.exp(-0.115 * humidity))
    damp = math.exp((humidity - 100.0) / 10.0)
    drying = 0.942 * humidity**0.679 + 11.0 * damp + warmth  # (4)
    wetting = 0.618 * humidity**0.753 + 10.0 * damp + warmth  # (5)
    if moisture > drying:
        moisture = drying + (moisture - drying) * 10 ** -_rate(humidity, wind, temp)  # (8)
    elif moisture < wetting:
        moisture = wetting - (wetting - moisture) * 10 ** -_rate(100.0 - humidity, wind, temp)  # (9)
    return min(max(59.5 * (250.0 - moisture) / (147.2 + moisture), 0.0), 101.0)  # (10)


def dmc(weather: NoonWeather, before: float, *, lat_deg: float) -> float:
    """Return the duff moisture code."""
    temp = max(weather.temp_c, -1.1)
    hours = _DMC_HOURS[_band(lat_deg)][weather.day.month - 1]
    drying = 1.894 * (temp + 1.1) * (100.0 - weather.humidity_percent) * hours * 1e-4  # (16)
    left = before
    if weather.rain_mm > 1.5:
        effective = 0.92 * weather.rain_mm - 1.27  # (11)
        moisture = 20.0 + 280.0 / math.exp(0.023 * before)  # (12)
        if before <= 33.0:
            slope = 100.0 / (0.5 + 0.3 * before)  # (13a)
        elif before <= 65.0:
            slope = 14.0 - 1.3 * math.log(before)  # (13b)
        else:
            slope = 6.2 * math.log(before) - 17.2  # (13c)
        wet = moisture + 1000.0 * effective / (48.77 + slope * effective)  # (14)
        left = max(43.43 * (5.6348 - math.log(wet - 20.0)), 0.0)  # (15)
    return float(max(left + drying, 0.0))  # (17)


def dc(weather: NoonWeather, before: float, *, lat_deg: float) -> float:
    """Return the drought code."""
    temp = max(weather.temp_c, -2.8)
    left = before
    if weather.rain_mm > 2.8:
        effective = 0.83 * weather.rain_mm - 1.27  # (18)
        moisture = 800.0 * math.exp(-before / 400.0)  # (19)
        left = max(before - 400.0 * math.log(1.0 + 3.937 * effective / moisture), 0.0)  # (20), (21)
    evaporation = max(0.36 * (temp + 2.8) + _day_length(lat_deg, weather.day.month), 0.0)  # (22)
    return left + 0.5 * evaporation  # (23)


def isi(fine_fuel: float, wind_m_s: float) -> float:
    """Return the initial spread index."""
    moisture = 147.2 * (101.0 - fine_fuel) / (59.5 + fine_fuel)
    fuel = 91.9 * math.exp(-0.1386 * moisture) * (1 + math.pow(moisture, 5.31) / 4.93e7)  # (25)
    return 0.208 * fuel * math.exp(0.05039 * wind_m_s * 3.6)  # (24), (26)


def bui(duff: float, drought: float) -> float:
    """Return the buildup index."""
    if duff == 0.0 and drought == 0.0:
        return 0.0
    if duff <= 0.4 * drought:
        return 0.8 * duff * drought / (duff + 0.4 * drought)  # (27a)
    less = (1.0 - 0.8 * drought / (duff + 0.4 * drought)) * (0.92 + math.pow(0.0114 * duff, 1.7))
    return max(duff - less, 0.0)  # (27b)


def fwi(spread: float, buildup: float) -> float:
    """Return the fire weather index."""
    if buildup <= 80.0:
        weight = 0.626 * buildup**0.809 + 2.0  # (28a)
    else:
        weight = 1000.0 / (25.0 + 108.64 / math.exp(0.023 * buildup))  # (28b)
    fierce = 0.1 * spread * weight  # (29)
    return math.exp(2.72 * (0.434 * math.log(fierce)) ** 0.647) if fierce > 1.0 else fierce  # (30)


def _rained_on(moisture: float, rain_mm: float) -> float:
    """Return the litter's moisture after the rain (2, 3)."""
    if rain_mm <= 0.5:
        return moisture
    effective = rain_mm - 0.5
    wet = moisture + 42.5 * effective * math.exp(-100.0 / (251.0 - moisture)) * (
        1 - math.exp(-6.93 / effective)
    )
    if moisture > 150.0:
        wet += 0.0015 * (moisture - 150.0) ** 2 * math.sqrt(effective)
    return min(wet, 250.0)


def _rate(dryness: float, wind_km_h: float, temp_c: float) -> float:
    """Return the logarithmic rate of drying, or with what is missing to 100 % of wetting (6, 7)."""
    share = dryness / 100.0
    still = 0.424 * (1 - math.pow(share, 1.7)) + 0.0694 * math.sqrt(wind_km_h) * (1 - math.pow(share, 8))
    return still * 0.581 * math.exp(0.0365 * temp_c)


def _band(lat_deg: float) -> str:
    if lat_deg > 30.0:
        return "north"
    if lat_deg > 10.0:
        return "low_north"
    if lat_deg > -10.0:
        return "equator"
    return "low_south" if lat_deg > -30.0 else "south"


def _day_length(lat_deg: float, month: int) -> float:
    if -10.0 < lat_deg <= 10.0:
        return _DC_EQUATOR
    return (_DC_NORTH if lat_deg > 0 else _DC_SOUTH)[month - 1]


_DMC_HOURS["equator"] = (9.0,) * 12
