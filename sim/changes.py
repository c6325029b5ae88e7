"""Ground that is no more as it was: water out of its bed, felled forest, another season and another year.

A flood fills the ground beside a river up to one level: the bed's height there plus a rise that swells
along a reach and ebbs away at its ends. A felling is a ragged patch of closed forest laid bare, with stumps,
brash, stems left lying, a stack at its side and a track out. Season, year and clouds change how everything
looks and are no felling.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from missions.geo import Floats
from sim.landscape import Landscape
from sim.relief import Relief

FLOOD_STEP_M = 2.0
REACH_M, RISE_M, WIDEST_M = (70.0, 150.0), (2.2, 4.2), 110.0
SMALLEST_FLOOD_M2 = 600.0
FELLED_M2 = (110.0, 2600.0)
TRACK_HALF_M = 1.7
FOREST_RIM_M = 14.0
"""Fellings keep so far from the edge of the wood, where single trees make the edge a matter of opinion."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What changes the look of everything: `season` 0 in summer to 1 in autumn, the `year`'s crops, `clouds`.

    `clouds` is the share of the ground in their shade, `cloud_seed` where they stand.
    """

    season: float = 0.0
    year: int = 0
    clouds: float = 0.0
    cloud_seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Flood:
    """Water out of its bed: the ground it covers beside the river, and how high it stands over the bed."""

    id: str
    shape: BaseGeometry
    rise_m: float

    @property
    def middle(self) -> Point:
        return self.shape.representative_point()

    @property
    def area_m2(self) -> float:
        return float(self.shape.area)


@dataclass(frozen=True, slots=True, eq=False)
class Felling:
    """A patch of forest laid bare; stems lie along `heading_deg`, a track leads to `out`."""

    id: str
    patch: Polygon
    heading_deg: float
    out: LineString

    @property
    def track(self) -> BaseGeometry:
        """The ground of the track out."""
        return self.out.buffer(TRACK_HALF_M, cap_style="flat")

    @property
    def way(self) -> BaseGeometry:
        """The track's middle line outside the patch."""
        return self.out.difference(self.patch)

    @property
    def shape(self) -> BaseGeometry:
        """All the ground that has lost its trees."""
        return self.patch.union(self.track)

    @property
    def middle(self) -> Point:
        return self.patch.representative_point()

    @property
    def area_m2(self) -> float:
        return float(self.shape.area)


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """All that changed since the place was last seen."""

    floods: tuple[Flood, ...] = ()
    fellings: tuple[Felling, ...] = ()
    conditions: Conditions = Conditions()


def flood(
    name: str, landscape: Landscape, relief: Relief, rng: np.random.Generator, *, within: BaseGeometry
) -> Flood | None:
    """Return a flood somewhere along the rivers inside an area, None where none can be had."""
    reaches = [(line, half) for line, half in landscape.rivers if line.intersects(within)]
    if not reaches:
        return None
    for _ in range(60):
        line, half_m = reaches[int(rng.integers(len(reaches)))]
        at = rng.uniform(0.1, 0.9) * line.length
        if not within.contains(line.interpolate(at)):
            continue
        rise_m = float(rng.uniform(*RISE_M))
        shape = _filled(line, half_m, at, float(rng.uniform(*REACH_M)), rise_m, relief)
        if shape is not None and shape.area >= SMALLEST_FLOOD_M2:
            return Flood(name, shape, rise_m)
    return None


def fellings(
    many: int,
    landscape: Landscape,
    rng: np.random.Generator,
    *,
    within: BaseGeometry,
    apart_m: float = 60.0,
    areas_m2: Sequence[float] | None = None,
) -> tuple[Felling, ...]:
    """Return patches of felled forest inside the compartments, apart from each other."""
    kept = unary_union([p.buffer(-FOREST_RIM_M) for p in landscape.compartments]).intersection(within)
    lines = [
        LineString([(p.east_m, p.north_m) for p in s]).buffer(16.0) for s in landscape.spans if len(s) > 1
    ]
    roads = [r.line.buffer(r.half_width_m + 6.0) for r in landscape.roads]
    kept = kept.difference(unary_union([*lines, *roads, landscape.water.buffer(25.0)]))
    found: list[Felling] = []
    for i in range(many):
        area = areas_m2[i] if areas_m2 else math.exp(rng.uniform(*np.log(FELLED_M2)))
        patch = _patch(kept, [f.patch for f in found], area, apart_m, rng)
        if patch is not None:
            out = _way_out(patch, landscape, rng)
            found.append(Felling(f"L{len(found) + 1}", patch, float(rng.uniform(0, 180)), out))
    return tuple(found)


def _filled(
    line: LineString, half_m: float, at_m: float, reach_m: float, rise_m: float, relief: Relief
) -> BaseGeometry | None:
    """Return the ground beside the river that lies under the flood's level."""
    middle = line.interpolate(at_m)
    side = reach_m + WIDEST_M
    count = int(2 * side / FLOOD_STEP_M)
    east = middle.x - side + (np.arange(count) + 0.5) * FLOOD_STEP_M
    north = middle.y + side - (np.arange(count) + 0.5) * FLOOD_STEP_M
    x, y = np.meshgrid(east, north)
    stations = np.arange(max(at_m - reach_m, 0.0), min(at_m + reach_m, line.length), 4.0)
    course = np.array([line.interpolate(s).coords[0][:2] for s in stations])
    bed = np.array([relief.at(*p) for p in course])
    bed = np.convolve(np.pad(bed, 7, mode="edge"), np.ones(15) / 15, mode="valid")
    swell = np.cos(np.clip((stations - at_m) / reach_m, -1, 1) * math.pi / 2) ** 0.5
    level = bed + rise_m * swell
    apart = np.full(x.shape, np.inf)
    nearest = np.zeros(x.shape, np.intp)
    for i, (cx, cy) in enumerate(course):
        distance = np.hypot(x - cx, y - cy)
        closer = distance < apart
        apart[closer], nearest[closer] = distance[closer], i
    wet = (relief.height_m(x, y) < level[nearest]) & (apart < WIDEST_M)
    ends = (nearest == 0) | (nearest == len(course) - 1)
    wet = wet & ~ends | (apart < half_m)
    _, labels = cv2.connectedComponents(wet.astype(np.uint8), connectivity=4)
    row, column = int((middle.y * -1 + middle.y + side) / FLOOD_STEP_M), int(side / FLOOD_STEP_M)
    wet = labels == labels[min(row, count - 1), min(column, count - 1)]
    shape = _outline(wet, float(east[0] - FLOOD_STEP_M / 2), float(north[0] + FLOOD_STEP_M / 2))
    beside = shape.difference(line.buffer(half_m)).buffer(-1.0).buffer(1.0)
    return None if beside.is_empty else beside


def _outline(mask: npt.NDArray[np.bool_], west_m: float, north_m: float) -> BaseGeometry:
    """Return a mask's parts as polygons in local metres, a little rounded."""
    rings, _ = cv2.findContours(
        cv2.resize(mask.astype(np.uint8), None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST),
        cv2.RETR_EXTERNAL,
        cv2.CHAIN_APPROX_NONE,
    )
    step = FLOOD_STEP_M / 2
    parts = []
    for ring in rings:
        if len(ring) >= 4:
            points = ring[:, 0, :] + 0.5
            parts.append(
                Polygon(np.column_stack([west_m + points[:, 0] * step, north_m - points[:, 1] * step]))
            )
    return unary_union([p.buffer(0.5).simplify(0.7) for p in parts])


def _patch(
    kept: BaseGeometry, others: Sequence[Polygon], area_m2: float, apart_m: float, rng: np.random.Generator
) -> Polygon | None:
    """Return a ragged patch of an area inside the wood, apart from the others."""
    if kept.is_empty:
        return None
    west, south, east, north = kept.bounds
    for _ in range(4000):
        x, y = rng.uniform(west, east), rng.uniform(south, north)
        ring = _ragged(x, y, area_m2, rng)
        if kept.contains(ring) and all(ring.distance(o) >= apart_m for o in others):
            return ring
    return None


def _ragged(x: float, y: float, area_m2: float, rng: np.random.Generator) -> Polygon:
    """Return an oblong blob with a wavering edge, as large as asked for."""
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    long = rng.uniform(1.0, 1.8)
    reach = 1 + sum(
        rng.uniform(0, 0.16 / k) * np.cos(k * turn + rng.uniform(0, 2 * np.pi)) for k in (2, 3, 4, 5)
    )
    along, across = reach * np.cos(turn) * long, reach * np.sin(turn)
    heading = rng.uniform(0, np.pi)
    points = np.column_stack(
        [
            along * np.cos(heading) - across * np.sin(heading),
            along * np.sin(heading) + across * np.cos(heading),
        ]
    )
    size = math.sqrt(area_m2 / Polygon(points).area)
    return Polygon(points * size + (x, y))


def _way_out(patch: Polygon, landscape: Landscape, rng: np.random.Generator) -> LineString:
    """Return a track from the patch some way towards the nearest road."""
    start = patch.representative_point()
    roads = [r.line for r in landscape.roads]
    if roads:
        nearest = min(roads, key=lambda r: r.distance(start))
        goal = nearest.interpolate(nearest.project(start))
    else:
        goal = Point(start.x + 100.0, start.y)
    reach = min(start.distance(goal), float(rng.uniform(40.0, 90.0)) + math.sqrt(patch.area))
    share = reach / max(start.distance(goal), 1.0)
    return LineString(
        [(start.x, start.y), (start.x + (goal.x - start.x) * share, start.y + (goal.y - start.y) * share)]
    )


def stems(felling: Felling, rng: np.random.Generator) -> list[Floats]:
    """Return the stems that lie on a felled patch, (2, 2) ends in metres; a stack is stems side by side."""
    west, south, east, north = felling.patch.bounds
    lies = math.radians(felling.heading_deg)
    found = []
    for _ in range(max(int(felling.patch.area / 35.0), 2)):
        x, y = rng.uniform(west, east), rng.uniform(south, north)
        turn, half = lies + rng.normal(0, 0.5), rng.uniform(2.0, 4.5)
        ends = np.array(
            [
                [x - half * math.sin(turn), y - half * math.cos(turn)],
                [x + half * math.sin(turn), y + half * math.cos(turn)],
            ]
        )
        if felling.patch.contains(LineString(ends)):
            found.append(ends)
    middle = felling.middle
    for i in range(int(min(felling.patch.area / 60.0, 9))):
        off = (i - 4) * 0.45
        base = np.array([middle.x + off * math.cos(lies), middle.y - off * math.sin(lies)])
        along = np.array([math.sin(lies), math.cos(lies)]) * 2.6
        found.append(np.array([base - along, base + along]))
    return found
