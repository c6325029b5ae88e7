"""No-photo ground on a sortie's way: where the camera goes off, and on again behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import shapely
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry

from missions.airspace import Spot
from missions.geo import LocalFrame
from missions.model import Site, Task
from missions.passes import Step
from missions.volumes import no_photo_of

# A corner of no-photo ground cut by less than this is not worth two waypoints.
LEAST_M = 1.0


@dataclass(frozen=True, slots=True)
class Blinds:
    """All no-photo ground of a site in local metres, with its margin."""

    ground: BaseGeometry

    @classmethod
    def of(cls, site: Site, frame: LocalFrame) -> "Blinds":
        """Return a site's no-photo ground."""
        return cls(no_photo_of(site, frame))

    def cut(self, steps: Sequence[tuple[Step, Task | None]]) -> list[tuple[Step, Task | None, bool]]:
        """Return the steps with new ones where they enter and leave, and whether each goes on blind."""
        if self.ground.is_empty:
            return [(step, task, False) for step, task in steps]
        found: list[tuple[Step, Task | None, bool]] = []
        for (step, task), (after, _) in pairwise(steps):
            between = [_at(step.spot, after.spot, share) for share in self._crossings(step.spot, after.spot)]
            chain = (step.spot, *between, after.spot)
            found.append((step, task, self._goes_blind(chain[0], chain[1])))
            found += [(Step(a), None, self._goes_blind(a, b)) for a, b in pairwise(chain[1:])]
        return [*found, (*steps[-1], False)]

    def _crossings(self, a: Spot, b: Spot) -> list[float]:
        """Return where a leg crosses the rim, as shares of the leg, in order."""
        leg = LineString([(a.east_m, a.north_m), (b.east_m, b.north_m)])
        if leg.length < 2 * LEAST_M or not self.ground.intersects(leg):
            return []
        parts = leg.intersection(self.ground)
        ends = {
            share
            for part in getattr(parts, "geoms", [parts])
            if part.length >= LEAST_M
            for share in (
                leg.project(shapely.Point(c)) / leg.length for c in (part.coords[0], part.coords[-1])
            )
        }
        return sorted(share for share in ends if LEAST_M < share * leg.length < leg.length - LEAST_M)

    def _goes_blind(self, a: Spot, b: Spot) -> bool:
        middle = _at(a, b, 0.5)
        return bool(shapely.contains_xy(self.ground, middle.east_m, middle.north_m))


def _at(a: Spot, b: Spot, share: float) -> Spot:
    return Spot(
        a.east_m + share * (b.east_m - a.east_m),
        a.north_m + share * (b.north_m - a.north_m),
        a.altitude_m + share * (b.altitude_m - a.altitude_m),
    )
