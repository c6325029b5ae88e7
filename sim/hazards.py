"""Fires and the warm things that are mistaken for fires: their size, heat and growth.

Temperatures are apparent, as an 8-14 µm camera reads them with emissivity set to 0.95.

Fires. Flames over litter are thin in the long-wave infrared, so a camera above
reads 350-800 °C where thermocouples inside read 800-1100 °C (Dupuy et al. 2007,
Int. J. Wildland Fire 16, 324; Johnston et al. 2014, Sensors 14, 23221: 400-800 °C
for small experimental fires); smouldering duff burns at 450-700 °C below an ash
layer that shows 300-450 °C (Rein 2009, Int. Rev. Chem. Eng. 1, 3). A smouldering patch is
cold at its rim and its middle both; here the core holds 60 % of the radius and the
rim falls to 180 °C. Below 1 m² only live flame lasts, so small fires start at 450 °C.
Damp litter burns backwards at 0.2-1.0 m an hour: fires grow at that rate, to 20 m².

Decoys. Bare metal sheet in the sun: 50-75 °C (Berdahl & Bretz 1997, Energy Build. 25,
149). Chimney of a heating or cooking flue: 80-160 °C at the mouth. Engine
bonnet and exhaust of a running car: 60-110 °C. Dark rock in the sun: 40-58 °C
(Kelly et al. 2019, desert surfaces by UAV). A clay wood stove in a yard: 150-250 °C
(surface temperatures of biomass cookstoves, Jetter & Kariher 2009).
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sim.sky import Sky

FIRE_LARGEST_M2 = 20.0
FIRE_SMALLEST_M2 = 0.3
SUN_FOR_FULL_WARMTH = 0.5  # metal sheet and rock reach their sunny temperature from this beam on


class DecoyKind(StrEnum):
    """Warm things that are no fire."""

    METAL_ROOF = "metal_roof"
    CHIMNEY = "chimney"
    VEHICLE = "vehicle"
    WARM_ROCK = "warm_rock"
    STOVE = "stove"

    @property
    def warmed_by_sun(self) -> bool:
        """Whether it is warm only because the sun shines on it."""
        return self in (DecoyKind.METAL_ROOF, DecoyKind.WARM_ROCK)


@dataclass(frozen=True, slots=True)
class Fire:
    """A fire on the ground, as it was at the epoch; `temp_c` is its core's mean.

    `shape` gives its outline its lobes, `leaf_cover` the share of it that scattered
    foliage hides: a fire that has burnt for minutes stands in a gap of the canopy.
    """

    id: str
    east_m: float
    north_m: float
    ground_m: float
    area_at_epoch_m2: float
    spread_m_s: float
    temp_c: float
    epoch_at: datetime
    ignited_at: datetime
    shape: float
    leaf_cover: float

    def radius_m(self, now: datetime) -> float:
        """Return the radius of the circle as large as the fire."""
        age_s = (now - self.epoch_at).total_seconds()
        radius = math.sqrt(self.area_at_epoch_m2 / math.pi) + self.spread_m_s * age_s
        return min(max(radius, 0.0), math.sqrt(FIRE_LARGEST_M2 / math.pi))

    def area_m2(self, now: datetime) -> float:
        """Return how much ground flames or glows."""
        burnt_m2 = min(math.pi * self.radius_m(now) ** 2, FIRE_LARGEST_M2)
        return burnt_m2 if now >= self.ignited_at else 0.0


@dataclass(frozen=True, slots=True)
class Decoy:
    """A warm thing that is no fire: a rectangle or blob of `length_m` by `width_m`."""

    id: str
    kind: DecoyKind
    east_m: float
    north_m: float
    ground_m: float
    height_m: float  # of its warm face above the ground
    length_m: float
    width_m: float
    heading_deg: float
    temp_c: float  # by day and running

    def temp_under(self, sky: Sky) -> float:
        """Return its temperature; what the sun warms follows the sun."""
        if not self.kind.warmed_by_sun:
            return self.temp_c
        return sky.air_c - 2.0 + (self.temp_c - sky.air_c + 2.0) * min(sky.beam / SUN_FOR_FULL_WARMTH, 1.0)


def ignition_at(epoch_at: datetime, age_s: float) -> datetime:
    """Return when a fire began that has burnt for so long at the epoch."""
    return epoch_at - timedelta(seconds=age_s)
