"""How each kind of ground looks and how it warms.

Temperatures are air temperature plus what the sun adds (kelvins at a beam of
1000 W/m² at right angles), minus a night deficit. Sunny midday excesses over
air, from thermal surveys:

    broadleaf +4, needles +2.5  Leuzinger & Körner 2007, Glob. Change Biol. 13, 2256 (0.3-4.5 K)
    crop, grass +6 … +8         leaves transpire; Scherrer & Körner 2010, Glob. Change Biol. 16, 2602
    flooded paddy +3            a film of water
    bare soil +17, gravel +15   dry field soil reaches 40-50 °C in summer
    packed yard +17 … +19
    asphalt +24                 Santamouris 2013, Renew. Sustain. Energy Rev. 26, 224 (up to 60 °C)
    river                       follows the season, not the hour

Under a clear night sky canopy stays within 1 K of air while soil and stone hold warmth and
grass cools 3 K below it (Oke, Boundary Layer Climates). Slopes turned to the sun get
more beam: that is the spatial structure hikers and hot-spot detectors both know.
"""

from dataclasses import dataclass

import numpy as np

from sim.sky import Sky
from sim.textures import Pixels


@dataclass(slots=True, eq=False)
class Layer:
    """Colour (blue, green, red as 0-255), temperature and grain of one square while it is painted."""

    colour: Pixels
    temp_c: Pixels
    grain: Pixels

    def cover(self, share: Pixels, over: "Layer") -> None:
        """Lay another layer over this one where its share is above zero."""
        if not share.any():
            return
        self.colour += (over.colour - self.colour) * share[..., None]
        self.temp_c += (over.temp_c - self.temp_c) * share
        self.grain += (over.grain - self.grain) * share


@dataclass(frozen=True, slots=True)
class Matter:
    """How a kind of ground looks and warms: colour, kelvins in full sun, kelvins at night, grain."""

    colour: tuple[int, int, int]
    sun_k: float
    night_k: float
    grain: float


PADDY = Matter((104, 118, 96), 3.0, 0.5, 10)
RICE = Matter((62, 138, 88), 6.0, -1.5, 30)
GREENS = Matter((54, 112, 70), 7.0, -2.0, 42)
SOIL = Matter((92, 120, 148), 17.0, 0.5, 34)
STUBBLE = Matter((98, 158, 176), 11.0, -1.5, 34)
TEA = Matter((46, 92, 58), 5.5, -1.0, 46)
CROPS = (RICE, RICE, GREENS, SOIL, STUBBLE, PADDY, TEA, RICE)
BUND = Matter((84, 128, 122), 9.0, -1.5, 30)
GRASS = Matter((66, 122, 92), 8.0, -3.0, 36)
YARD = Matter((150, 156, 160), 19.0, 2.0, 12)
COURT = Matter((122, 140, 154), 17.0, 1.5, 26)
GARDEN = Matter((58, 104, 76), 6.5, -1.5, 44)
LOTS = (YARD, COURT, GARDEN, YARD, GRASS, GREENS, COURT)
GRAVEL = Matter((138, 150, 156), 15.0, 0.5, 40)
WATER = Matter((92, 104, 74), 0.0, 0.0, 8)
ASPHALT = Matter((118, 116, 114), 24.0, 4.0, 8)
EARTH = Matter((112, 142, 164), 17.0, 1.0, 24)
SCRUB = Matter((62, 112, 88), 6.5, -2.0, 48)
BROADLEAF = Matter((50, 112, 74), 4.0, -0.5, 40)
NEEDLE = Matter((46, 84, 56), 2.5, 0.0, 34)
BAMBOO = Matter((62, 142, 112), 4.0, -0.5, 44)
WATER_C = 21.0


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """The same facts of several kinds of ground as arrays, so that a map of kinds looks them up."""

    colour: Pixels
    sun_k: Pixels
    night_k: Pixels
    grain: Pixels

    @classmethod
    def of(cls, *kinds: Matter) -> "Kinds":
        return cls(
            *(
                np.array([getattr(k, fact) for k in kinds], np.float32)
                for fact in ("colour", "sun_k", "night_k", "grain")
            )
        )


def temp_c(sun_k: Pixels | float, night_k: Pixels | float, sky: Sky, sun: Pixels) -> Pixels:
    """Return how warm ground is; `sun` is the cosine of the beam on it, shade included."""
    night = night_k * (1.0 - min(sky.beam / 0.3, 1.0))
    return np.asarray(sky.air_c + night + sun_k * (sky.beam * sun), dtype=np.float32)
