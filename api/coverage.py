"""What was looked at, when, with what and how well: shares and ages from the footprints of pictures. Pure.

A demand's ground is taken as points. A point is *shown* when it lies in a picture of one of the demand's
sensors, *searched* when somebody also looked in that picture for one of its hazards: a colour picture
that nobody searches for floods shows the river and says nothing of floods. Its age is the time since it
was last shown.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from missions.geo import Area, Corridor, Floats, LatLon, LocalFrame
from missions.model import Demand, Hazard, Site
from vision.witnesses.joining import are_kin

POINTS_OF_A_DEMAND = 2000
FINEST_M = 5.0
CELL_M, MOST_CELLS = 50.0, 2500
POINT_M = 30.0
"""So far around a point demand counts as its ground."""


class Look(Protocol):
    """One picture's footprint, as the store keeps it."""

    @property
    def sensor(self) -> str: ...
    @property
    def taken_at(self) -> datetime: ...
    @property
    def gsd_m(self) -> float | None: ...
    @property
    def hazards(self) -> Sequence[str]: ...
    @property
    def footprint(self) -> Sequence[Sequence[float]]: ...


@dataclass(frozen=True, slots=True)
class DemandCoverage:
    """How well one demand was looked at; ages in seconds, None where nothing was shown."""

    demand: Demand
    shown_share: float
    searched_share: float
    searched_by_hazard: dict[str, float]
    overdue_share: float
    by_sensor: dict[str, float]
    last_at: datetime | None
    median_age_s: float | None
    oldest_age_s: float | None
    gsd_m: float | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A square of watched ground and when it was last shown; `age_s` is None where it never was."""

    ring: tuple[LatLon, ...]
    middle: LatLon
    age_s: float | None
    sensor: str | None


def demands_covered(site: Site, looks: Sequence[Look], *, now: datetime) -> list[DemandCoverage]:
    """Return how well each demand of a site was looked at by these looks."""
    frame = LocalFrame(site.origin)
    shapes = _polygons(frame, looks)
    return [_covered(demand, frame, looks, shapes, now) for demand in site.demands]


def cells(site: Site, looks: Sequence[Look], *, now: datetime) -> list[Cell]:
    """Return the watched ground as squares with the age of the last look at each."""
    frame = LocalFrame(site.origin)
    watched = shapely.union_all([ground_of(d, frame) for d in site.demands])
    if watched.is_empty:
        return []
    size = max(CELL_M, math.sqrt(watched.area / MOST_CELLS))
    left, bottom, right, top = watched.bounds
    x, y = np.meshgrid(np.arange(left, right, size) + size / 2, np.arange(bottom, top, size) + size / 2)
    inside = shapely.intersects(watched, shapely.box(x - size / 2, y - size / 2, x + size / 2, y + size / 2))
    middles = np.column_stack([x[inside], y[inside]])
    last, which = _last_shown(middles, looks, _polygons(frame, looks))
    half = size / 2
    found = []
    for (east, north), at_s, index in zip(middles.tolist(), last.tolist(), which.tolist(), strict=True):
        corners = ((-half, -half), (half, -half), (half, half), (-half, half))
        found.append(
            Cell(
                tuple(frame.to_place(east + dx, north + dy) for dx, dy in corners),
                frame.to_place(east, north),
                None if index < 0 else max(0.0, now.timestamp() - at_s),
                None if index < 0 else looks[index].sensor,
            )
        )
    return found


def _covered(
    demand: Demand, frame: LocalFrame, looks: Sequence[Look], shapes: Sequence[Polygon], now: datetime
) -> DemandCoverage:
    points = _points(ground_of(demand, frame))
    wanted = {sensor.value for sensor in demand.sensors}
    mine = [i for i, look in enumerate(looks) if look.sensor in wanted]
    last, which = _last_shown(points, [looks[i] for i in mine], [shapes[i] for i in mine])
    is_shown = which >= 0
    ages = now.timestamp() - last[is_shown]
    by_sensor = {s: _share(points, looks, shapes, [i for i in mine if looks[i].sensor == s]) for s in wanted}
    sizes = [gsd for i in np.unique(which[is_shown]).tolist() if (gsd := looks[mine[i]].gsd_m) is not None]
    return DemandCoverage(
        demand=demand,
        shown_share=float(is_shown.mean()),
        searched_share=_share(
            points, looks, shapes, [i for i in mine if _is_searched(looks[i], demand.hazards)]
        ),
        searched_by_hazard={
            hazard.value: _share(points, looks, shapes, [i for i in mine if _is_searched(looks[i], {hazard})])
            for hazard in sorted(demand.hazards)
        },
        overdue_share=float(1 - (ages <= demand.revisit_s).sum() / len(points)),
        by_sensor=dict(sorted(by_sensor.items())),
        last_at=max((looks[i].taken_at for i in mine), default=None) if is_shown.any() else None,
        median_age_s=float(np.median(ages)) if len(ages) else None,
        oldest_age_s=float(ages.max()) if len(ages) else None,
        gsd_m=round(float(np.median(sizes)), 3) if sizes else None,
    )


def _is_searched(look: Look, hazards: Collection[Hazard]) -> bool:
    return any(are_kin(wanted, Hazard(h)) for wanted in hazards for h in look.hazards)


def _share(points: Floats, looks: Sequence[Look], shapes: Sequence[Polygon], mine: list[int]) -> float:
    _, which = _last_shown(points, [looks[i] for i in mine], [shapes[i] for i in mine])
    return float((which >= 0).mean())


def _last_shown(
    points: Floats, looks: Sequence[Look], shapes: Sequence[Polygon]
) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Return for each point when it was last shown (seconds) and by which look, -1 where by none."""
    last, which = np.full(len(points), -np.inf), np.full(len(points), -1, dtype=np.intp)
    if not len(looks) or not len(points):
        return last, which
    order = np.argsort([look.taken_at.timestamp() for look in looks], kind="stable")
    tree = shapely.STRtree(shapely.points(points))
    polygon, point = tree.query(np.array(shapes, dtype=object)[order], predicate="intersects")
    rank = np.full(len(points), -1, dtype=np.intp)
    np.maximum.at(rank, point, polygon)  # looks in the order of time: the greatest is the last
    is_shown = rank >= 0
    which[is_shown] = order[rank[is_shown]]
    times = np.array([look.taken_at.timestamp() for look in looks])
    last[is_shown] = times[which[is_shown]]
    return last, which


def _polygons(frame: LocalFrame, looks: Iterable[Look]) -> list[Polygon]:
    found = []
    for look in looks:
        ring = np.asarray(look.footprint, dtype=float)
        east, north = frame.east_north(ring[:, 1], ring[:, 0])
        shape: Any = shapely.make_valid(Polygon(np.column_stack([east, north])))
        found.append(shape)
    return found


def ground_of(demand: Demand, frame: LocalFrame) -> BaseGeometry:
    """Return the ground that a demand is about, in a frame's metres."""
    match demand.where:
        case LatLon() as place:
            return Point(frame.to_local(place)).buffer(POINT_M)
        case Corridor(line, half_width_m):
            return frame.line(line).buffer(half_width_m, cap_style="flat")
        case Area() as area:
            return frame.polygon(area).buffer(0)


def _points(ground: BaseGeometry) -> Floats:
    """Return points spread evenly over a ground, a few thousand at most."""
    step = max(FINEST_M, math.sqrt(ground.area / POINTS_OF_A_DEMAND))
    left, bottom, right, top = ground.bounds
    x, y = np.meshgrid(np.arange(left + step / 2, right, step), np.arange(bottom + step / 2, top, step))
    inside = shapely.contains_xy(ground, x, y)
    found = np.column_stack([x[inside], y[inside]])
    return found if len(found) else np.array([[ground.centroid.x, ground.centroid.y]])


def box_of(site: Site) -> tuple[float, float, float, float]:
    """Return the box (west, south, east, north) around all demanded ground, in degrees."""
    frame = LocalFrame(site.origin)
    shapes = [ground_of(d, frame) for d in site.demands]
    left, bottom, right, top = shapely.union_all(shapes).bounds if shapes else box(-1, -1, 1, 1).bounds
    south_west, north_east = frame.to_place(left, bottom), frame.to_place(right, top)
    return south_west.lon_deg, south_west.lat_deg, north_east.lon_deg, north_east.lat_deg
