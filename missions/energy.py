"""How long a leg takes and what it costs, from speeds, powers, climb and wind.

A leg is flown straight, at cruise airspeed where the height lets it, else as
fast as the climb or descent rate allows (a copter told to go from one waypoint
to a higher one slows down until it can stay on the line between them). Energy
is hover or cruise power for the time, and for each metre of height the power
that climbing takes, or descending saves, over hovering.

A copter plans one leg ahead and never flies faster along it than it could when
starting and ending it at rest, however straight the next one lies: with pictures
50 m apart that is 8.5 m/s where 12 were asked for. Plans that counted with 12 were
24 to 56 % too short on a real ArduCopter (docs/measurements/sitl.md).
"""

import math
from dataclasses import dataclass

from missions.errors import WorkFailed
from missions.model import DroneModel, Wind

# Turning about at a waypoint costs this much against flying straight through it: braking from
# 12 m/s and speeding up again at 2.5 m/s2 (ArduCopter's default) would be 9.6 s for a full stop,
# of which half the way is made good; measured corners are cut a little, so 4 s for about-turn.
TURN_ABOUT_S = 4.0

# Spinning up before take-off, and the slow last metres of a landing.
TAKEOFF_S = 5.0
TOUCHDOWN_S = 15.0

# From this temperature on a battery gives all it holds; below, so much less for each degree.
WARM_C, COLD_PER_C = 20.0, 0.008

LEAST_GROUND_SPEED_M_S = 1.0


class UnflyableLeg(WorkFailed):
    """The wind along a leg leaves no way to make ground along it."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What flying something takes."""

    time_s: float
    energy_wh: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.time_s + other.time_s, self.energy_wh + other.energy_wh)


NOTHING = Cost(0.0, 0.0)


def ground_speed_m_s(airspeed_m_s: float, *, track_deg: float, wind: Wind) -> float:
    """Return the speed over ground along a true track at an airspeed (the wind triangle).

    Raises:
        UnflyableLeg: the wind across is stronger than the airspeed, or the head wind eats it up.
    """
    towards = math.radians(wind.from_deg + 180.0 - track_deg)
    tail, across = wind.speed_m_s * math.cos(towards), wind.speed_m_s * math.sin(towards)
    if abs(across) < airspeed_m_s:
        speed = math.sqrt(airspeed_m_s**2 - across**2) + tail
        if speed >= LEAST_GROUND_SPEED_M_S:
            return speed
    raise UnflyableLeg(
        f"wind of {wind.speed_m_s:g} m/s from {wind.from_deg:.0f}° cannot be flown along "
        f"{track_deg % 360:.0f}° at {airspeed_m_s:g} m/s airspeed"
    )


def leg(model: DroneModel, *, run_m: float, rise_m: float, track_deg: float, wind: Wind) -> Cost:
    """Return the cost of one straight leg: `run_m` along the ground, `rise_m` up (negative down).

    Raises:
        UnflyableLeg: see `ground_speed_m_s`.
    """
    along_s = 0.0
    if run_m > 0:
        cruise_m_s = ground_speed_m_s(model.cruise_m_s, track_deg=track_deg, wind=wind)
        along_s = run_m / min(cruise_m_s, peak_m_s(model, run_m))
    rate, power = (model.climb_m_s, model.climb_w) if rise_m > 0 else (model.descent_m_s, model.descent_w)
    height_s = abs(rise_m) / rate
    time_s = max(along_s, height_s)
    joules = (
        along_s * model.cruise_w + (time_s - along_s) * model.hover_w + height_s * (power - model.hover_w)
    )
    return Cost(time_s, joules / 3600)


def peak_m_s(model: DroneModel, run_m: float) -> float:
    """Return the speed reached halfway by a drone that goes from rest to rest over a distance.

    To reach v takes v/2 · (v/a + a/j) metres with acceleration a and jerk j, or
    v · √(v/j) where the whole of a is never reached.
    """
    a, j = model.accel_m_s2, model.jerk_m_s3
    if run_m <= 2 * a**3 / j**2:
        return float((run_m * math.sqrt(j) / 2) ** (2 / 3))
    b = a * a / j
    return (math.sqrt(b * b + 4 * a * run_m) - b) / 2


def turn(model: DroneModel, *, by_deg: float) -> Cost:
    """Return the cost of changing the track by an angle."""
    time_s = TURN_ABOUT_S * abs((by_deg + 180) % 360 - 180) / 180
    return Cost(time_s, time_s * model.hover_w / 3600)


def takeoff(model: DroneModel, *, rise_m: float) -> Cost:
    """Return the cost of spinning up and climbing straight over the dock."""
    time_s = TAKEOFF_S + rise_m / model.climb_m_s
    return Cost(time_s, time_s * model.climb_w / 3600)


def landing(model: DroneModel, *, fall_m: float) -> Cost:
    """Return the cost of coming straight down onto the dock."""
    falling_s = fall_m / model.descent_m_s
    joules = falling_s * model.descent_w + TOUCHDOWN_S * model.hover_w
    return Cost(falling_s + TOUCHDOWN_S, joules / 3600)


def loaded(mass_kg: float, payload_kg: float) -> float:
    """Return how many times the power a payload makes a rotor take: lift to the power of 3/2."""
    return float((1 + payload_kg / mass_kg) ** 1.5)


def cold(air_c: float) -> float:
    """Return the share of its energy that a battery gives in cold air.

    Lithium polymer cells give about 0.8 % less for each degree below 20 °C (four fifths at
    -5 °C); far below they are not to be flown at all, and half is the least that is counted with.
    """
    return min(1.0, max(0.5, 1 - COLD_PER_C * (WARM_C - air_c)))


def usable_wh(model: DroneModel) -> float:
    """Return the energy a sortie may use so that the reserve is left."""
    return model.battery_wh * model.health * (1 - model.reserve)


def furthest_m(model: DroneModel, *, wind_m_s: float) -> float:
    """Return a length that no flight on one battery exceeds: the wind behind it all the way, and sinking."""
    least_w = min(model.cruise_w, model.hover_w) + min(
        0.0, model.descent_w - model.hover_w, model.climb_w - model.hover_w
    )
    if least_w <= 0:
        return math.inf
    return usable_wh(model) * 3600 / least_w * (model.cruise_m_s + wind_m_s)


def reserve_min(model: DroneModel, energy_wh: float) -> float:
    """Return how many minutes the drone could still hover after using so much energy."""
    return (model.battery_wh * model.health - energy_wh) / model.hover_w * 60
