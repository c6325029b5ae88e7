"""Residents who report smoke: one sees a fire, another mistakes a kitchen's smoke for one.

A report's place is a pin on a map, off by what a person's eye is off over a few hundred metres. What they
say is all that leaves the simulator of them; whether it is true stands in the truth file alone.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from missions.geo import LocalFrame
from sim.hazards import Decoy, DecoyKind, Fire

SEES_AFTER = timedelta(minutes=4)  # smoke has to rise over the trees before anybody sees it
CALLS_APART = timedelta(minutes=2)
PIN_OFF_M = 18.0  # one deviation, east and north
CLEAR_M = 150.0
"""A false report is at least this far from any fire: a look at one must not show the other."""

_SMOKY = (DecoyKind.STOVE, DecoyKind.CHIMNEY)


@dataclass(frozen=True, slots=True)
class Call:
    """What one resident reports, when, and where he puts the pin."""

    id: str
    at: datetime
    east_m: float
    north_m: float
    words: str

    def to_json(self, frame: LocalFrame) -> dict[str, Any]:
        """Return the report as a resident's telephone sends it, with Open311's field names."""
        place = frame.to_place(self.east_m, self.north_m)
        return {
            "service_request_id": self.id,
            "service_code": "smoke",
            "lat": round(place.lat_deg, 6),
            "long": round(place.lon_deg, 6),
            "datum": "WGS84",
            "place_by": "pin",
            "description": self.words,
            "requested_datetime": self.at.isoformat(),
        }


def calls(fires: tuple[Fire, ...], decoys: tuple[Decoy, ...], rng: np.random.Generator) -> tuple[Call, ...]:
    """Return who calls: about each fire, and about a kitchen that smokes far from all of them."""
    told = [
        _call(f"R{i + 1}", (f.east_m, f.north_m), f.ignited_at + SEES_AFTER, "white smoke in the wood", rng)
        for i, f in enumerate(fires)
    ]
    kitchen = next((d for kind in _SMOKY for d in decoys if d.kind is kind and _is_clear(d, fires)), None)
    if kitchen is not None and told:
        at = told[-1].at + CALLS_APART
        told.append(
            _call(f"R{len(told) + 1}", (kitchen.east_m, kitchen.north_m), at, "smoke behind the houses", rng)
        )
    return tuple(told)


def _call(name: str, spot: tuple[float, float], at: datetime, words: str, rng: np.random.Generator) -> Call:
    east, north = rng.normal(0.0, PIN_OFF_M, 2).tolist()
    return Call(name, at, spot[0] + east, spot[1] + north, words)


def _is_clear(decoy: Decoy, fires: tuple[Fire, ...]) -> bool:
    return all(math.hypot(decoy.east_m - f.east_m, decoy.north_m - f.north_m) > CLEAR_M for f in fires)
